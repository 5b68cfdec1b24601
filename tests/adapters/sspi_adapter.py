#!/usr/bin/env python3
"""An adapter of digest-ssp's conformance suite: any library with the SSPI function table, through ctypes.

    digest-ssp conform --command 'python3 sspi_adapter.py LIBRARY'
    digest-ssp conform --command 'python3 sspi_adapter.py secur32.dll' --package NTLM

LIBRARY is a shared library that exports InitSecurityInterfaceW. The adapter speaks the adapter protocol
(spec/ADAPTERS.md) and offers calls, and memory that FreeContextBuffer takes back: no clock, no faults, no limits. What kills
the library kills the adapter; the runner says so.
"""

import ctypes
import json
import os
import sys
from ctypes import POINTER, Structure, byref, c_char, c_int32, c_uint16, c_uint32, c_uint64, c_void_p, cast, sizeof

PROTOCOL_VERSION = 1
LONGEST_LINE = 16 << 20
SEC_WINNT_AUTH_IDENTITY_UNICODE = 2

# On every system `unsigned long` of these interfaces has 32 bits. Pointers in structures are void pointers: what they
# point to is kept alive by whoever made it.


class SecHandle(Structure):
    _fields_ = [("lower", c_void_p), ("upper", c_void_p)]

    @classmethod
    def of(cls, words):
        return None if words is None else cls(*(int(word, 16) for word in words))

    def words(self):
        """Two words, or None where the headers call the handle invalid: all bits zero, or all one."""
        words = [self.lower or 0, self.upper or 0]
        ones = (1 << 8 * sizeof(c_void_p)) - 1
        return None if words in ([0, 0], [ones, ones]) else [f"{word:#x}" for word in words]


class SecBuffer(Structure):
    _fields_ = [("count", c_uint32), ("type", c_uint32), ("data", c_void_p)]


class SecBufferDesc(Structure):
    _fields_ = [("version", c_uint32), ("count", c_uint32), ("buffers", POINTER(SecBuffer))]


class Identity(Structure):
    _fields_ = [
        ("user", c_void_p), ("user_length", c_uint32), ("domain", c_void_p), ("domain_length", c_uint32),
        ("password", c_void_p), ("password_length", c_uint32), ("flags", c_uint32),
    ]


class Names(Structure):
    _fields_ = [("user_name", c_void_p)]


class Sizes(Structure):
    _fields_ = [(name, c_uint32) for name in ("maximum_token", "maximum_signature", "block_size", "security_trailer")]


class StreamSizes(Structure):
    _fields_ = [(name, c_uint32) for name in ("header", "trailer", "maximum_message", "buffers", "block_size")]


class KeyInfo(Structure):
    _fields_ = [
        ("signature_algorithm", c_void_p), ("encryption_algorithm", c_void_p), ("key_size", c_uint32),
        ("signature_number", c_uint32), ("encryption_number", c_uint32),
    ]


class SessionKey(Structure):
    _fields_ = [("length", c_uint32), ("key", c_void_p)]


# The table of functions, as sspi.h documents it; None is reserved or not called here. The values are the numbers of
# arguments: pointers all, but those that `NUMBERS` names by their position.
TABLE = [
    ("EnumerateSecurityPackages", 2), ("QueryCredentialsAttributes", None), ("AcquireCredentialsHandle", 9),
    ("FreeCredentialsHandle", 1), ("Reserved2", None), ("InitializeSecurityContext", 12), ("AcceptSecurityContext", 9),
    ("CompleteAuthToken", 2), ("DeleteSecurityContext", 1), ("ApplyControlToken", None),
    ("QueryContextAttributes", 3), ("ImpersonateSecurityContext", None), ("RevertSecurityContext", None),
    ("MakeSignature", 4), ("VerifySignature", 4), ("FreeContextBuffer", 1), ("QuerySecurityPackageInfo", 2),
    ("Reserved3", None), ("Reserved4", None), ("ExportSecurityContext", None), ("ImportSecurityContext", None),
    ("AddCredentials", None), ("Reserved8", None), ("QuerySecurityContextToken", None), ("EncryptMessage", 4),
    ("DecryptMessage", 4),
]
NUMBERS = {
    "AcquireCredentialsHandle": {2}, "InitializeSecurityContext": {3, 4, 5, 7}, "AcceptSecurityContext": {3, 4},
    "QueryContextAttributes": {1}, "MakeSignature": {1, 3}, "VerifySignature": {2}, "EncryptMessage": {1, 3},
    "DecryptMessage": {2},
}


class CannotAnswer(Exception):
    """The request has no answer, and why."""


class Unable(Exception):
    """The call cannot be made, though nothing is wrong with the request, and why."""


def function_table(path):
    """The functions of the library by name; those that it lacks are left out."""
    windows = os.name == "nt"
    library = (ctypes.WinDLL if windows else ctypes.CDLL)(path)
    prototype = ctypes.WINFUNCTYPE if windows else ctypes.CFUNCTYPE
    library.InitSecurityInterfaceW.restype = c_void_p
    address = library.InitSecurityInterfaceW()
    if not address:
        raise OSError(f"{path}: InitSecurityInterfaceW gave no table of functions")
    # dwVersion comes first, in the room of a pointer.
    entries = cast(address, POINTER(c_void_p * (1 + len(TABLE)))).contents
    functions = {}
    for (name, count), entry in zip(TABLE, entries[1:]):
        if count is not None and entry:
            numbers = NUMBERS.get(name, set())
            kinds = [c_uint32 if position in numbers else c_void_p for position in range(count)]
            functions[name] = prototype(c_int32, *kinds)(entry)
    return functions


class Message:
    """A descriptor as it was told, in memory of C."""

    def __init__(self, told):
        self.memory = []
        self.descriptor = None
        if told is None:
            return
        buffers = told["buffers"]
        self.descriptor = SecBufferDesc(told["version"], told["count"], None)
        self.has_buffers = buffers is not None
        if not self.has_buffers:
            return
        if told["count"] > len(buffers):
            raise Unable("a descriptor promises buffers that it does not have, which C cannot tell")
        self.array = (SecBuffer * max(len(buffers), 1))()
        for buffer, entry in zip(buffers, self.array):
            octets = None if buffer["data"] is None else bytes.fromhex(buffer["data"])
            if octets is not None and buffer["count"] > len(octets):
                raise Unable("a buffer promises memory that it does not have, which C cannot tell")
            memory = None if octets is None else (c_char * max(len(octets), 1)).from_buffer_copy(octets or b"\0")
            self.memory.append((memory, len(octets or b"")))
            address = None if memory is None else ctypes.addressof(memory)
            entry.count, entry.type, entry.data = buffer["count"], buffer["type"], address
        self.descriptor.buffers = self.array

    def pointer(self):
        return None if self.descriptor is None else byref(self.descriptor)

    def told(self):
        """The descriptor after the call."""
        if self.descriptor is None:
            return None
        buffers = None
        if self.has_buffers:
            buffers = [self.buffer(position) for position in range(self.descriptor.count)]
        return {"version": self.descriptor.version, "count": self.descriptor.count, "buffers": buffers}

    def buffer(self, position):
        entry = self.array[position]
        memory, length = self.memory[position]
        if not entry.data:
            data = None
        elif memory is not None and entry.data == ctypes.addressof(memory):
            data = bytes(memory)[:length].hex()
        else:  # Memory of the package, of another length than what was given.
            data = ctypes.string_at(entry.data, entry.count).hex()
        return {"type": entry.type, "count": entry.count, "data": data}


class PackageInfo(Structure):
    _fields_ = [
        ("capabilities", c_uint32), ("version", c_uint16), ("rpc_id", c_uint16), ("maximum_token", c_uint32),
        ("name", c_void_p), ("comment", c_void_p),
    ]

    def told(self):
        numbers = ("capabilities", "version", "rpc_id", "maximum_token")
        return {"name": until_zero(self.name), **{name: getattr(self, name) for name in numbers}}


def wide(text):
    """A string in UTF-16 with a zero behind it, and its length without; (None, 0) for None."""
    if text is None:
        return None, 0
    octets = text.encode("utf-16-le", "surrogatepass") if isinstance(text, str) else text
    return ctypes.create_string_buffer(octets + b"\0\0"), len(octets) // 2


def until_zero(address):
    """The string in UTF-16 at an address."""
    units = []
    while address and (unit := c_uint16.from_address(address + 2 * len(units)).value):
        units.append(unit.to_bytes(2, "little"))
    return b"".join(units).decode("utf-16-le", "replace")


class Adapter:
    def __init__(self, path):
        self.functions = function_table(path)
        self.name = f"{os.path.basename(path)} through ctypes"
        self.contexts = {}
        self.credentials = {}
        self.blocks = set()

    def call(self, function, *arguments):
        if function not in self.functions:
            raise Unable(f"the table of functions has no {function}")
        status = self.functions[function](*arguments)
        return status >= 0, {"status": f"0x{status & 0xFFFFFFFF:08x}"}

    def begin(self):
        """Nothing of the last sequence is left; what has no way to be ended stays."""
        for function, known in [("DeleteSecurityContext", self.contexts), ("FreeCredentialsHandle", self.credentials)]:
            for words in known:
                if function in self.functions:
                    self.functions[function](byref(SecHandle.of(words)))
            known.clear()
        for address in self.blocks:
            self.release(address)
        self.blocks.clear()

    # --- The calls, by their names in the protocol

    def AcquireCredentialsHandle(self, principal, package, credential_use, logon_id, identity):
        logon = None if logon_id is None else c_uint64(int(logon_id, 16))
        said, kept = None, []
        if identity is not None:
            kept = [wide(identity[part]) for part in ("user", "domain", "password")]
            parts = [value for text, length in kept for value in (ctypes.addressof(text), length)]
            said = Identity(*parts, SEC_WINNT_AUTH_IDENTITY_UNICODE)
        made, expiry = SecHandle(), c_uint64()
        is_good, outcome = self.call(
            "AcquireCredentialsHandle", wide(principal)[0], wide(package)[0], credential_use,
            None if logon is None else byref(logon), None if said is None else byref(said), None, None, byref(made),
            byref(expiry))
        outcome["handle"] = made.words()
        if is_good:
            outcome["expiry"] = f"{expiry.value:#x}"
            self.credentials[tuple(made.words() or ())] = None
        return outcome

    def FreeCredentialsHandle(self, credential):
        return self.end("FreeCredentialsHandle", credential, self.credentials)

    def DeleteSecurityContext(self, context):
        return self.end("DeleteSecurityContext", context, self.contexts)

    def end(self, function, words, known):
        handle = SecHandle.of(words)
        is_good, outcome = self.call(function, None if handle is None else byref(handle))
        if is_good and words is not None:
            known.pop(tuple(words), None)
        return outcome

    def EnumerateSecurityPackages(self):
        count, packages = c_uint32(), c_void_p()
        is_good, outcome = self.call("EnumerateSecurityPackages", byref(count), byref(packages))
        return self.packages(is_good, outcome, packages.value, count.value)

    def QuerySecurityPackageInfo(self, package):
        told = c_void_p()
        is_good, outcome = self.call("QuerySecurityPackageInfo", wide(package)[0], byref(told))
        return self.packages(is_good, outcome, told.value, 1)

    def packages(self, is_good, outcome, address, count):
        """What packages say of themselves, in memory that is given back later."""
        if not address:
            return outcome
        outcome["handle"] = [f"{address:#x}", "0x0"]
        if is_good:
            self.blocks.add(address)
            told = (PackageInfo * count).from_address(address)
            outcome["attribute"] = {"packages": [info.told() for info in told]}
        return outcome

    def FreeContextBuffer(self, block):
        address = None if block is None else int(block[0], 16)
        # Nobody says of a library behind this adapter that it tells pointers that are none to its memory.
        if block is not None and address not in self.blocks:
            raise Unable("the pointer is none to memory of the library, which may be the end of the process")
        _, outcome = self.call("FreeContextBuffer", address)
        self.blocks.discard(address)
        return outcome

    def InitializeSecurityContext(self, credential, context, target_name, requirements, input, output):
        # What is no UTF-8 is told octet by octet.
        target = None if target_name is None else bytes.fromhex(target_name).decode("utf-8", "surrogateescape")
        text = wide(target)[0]
        return self.establish(
            "InitializeSecurityContext", credential, context, input, output,
            lambda held, read: [text, requirements, 0, 0, read, 0])

    def AcceptSecurityContext(self, credential, context, requirements, input, output):
        return self.establish(
            "AcceptSecurityContext", credential, context, input, output, lambda held, read: [read, requirements, 0])

    def establish(self, function, credential, context, input, output, between):
        held, old = SecHandle.of(credential), SecHandle.of(context)
        # As a caller has it who passes one variable for both: a package need not write a handle that stays.
        made = SecHandle.of(context) or SecHandle()
        read, written = Message(input), Message(output)
        granted, expiry = c_uint32(), c_uint64()
        is_good, outcome = self.call(
            function, None if held is None else byref(held), None if old is None else byref(old),
            *between(held, read.pointer()), byref(made), written.pointer(), byref(granted), byref(expiry))
        outcome.update(handle=made.words(), input=read.told(), output=written.told())
        if is_good:
            outcome.update(granted=granted.value, expiry=f"{expiry.value:#x}")
        if made.words() and (is_good or old is None):
            self.contexts[tuple(made.words())] = None
        return outcome

    def CompleteAuthToken(self, context, token):
        return self.in_place("CompleteAuthToken", context, token, lambda message: [message])

    def MakeSignature(self, context, message):
        return self.in_place("MakeSignature", context, message, lambda message: [0, message, 0])

    def VerifySignature(self, context, message):
        quality = c_uint32()
        return self.in_place("VerifySignature", context, message, lambda message: [message, 0, byref(quality)])

    def EncryptMessage(self, context, message):
        return self.in_place("EncryptMessage", context, message, lambda message: [0, message, 0])

    def DecryptMessage(self, context, message):
        quality = c_uint32()
        outcome = self.in_place("DecryptMessage", context, message, lambda message: [message, 0, byref(quality)])
        if int(outcome["status"], 16) < 0x80000000:
            outcome["quality"] = quality.value
        return outcome

    def in_place(self, function, context, told, arguments):
        handle, message = SecHandle.of(context), Message(told)
        pointer = None if handle is None else byref(handle)
        _, outcome = self.call(function, pointer, *arguments(message.pointer()))
        outcome["output"] = message.told()
        return outcome

    def QueryContextAttributes(self, context, attribute):
        handle = SecHandle.of(context)
        room = ctypes.create_string_buffer(4096)
        is_good, outcome = self.call("QueryContextAttributes", None if handle is None else byref(handle), attribute, room)
        if is_good:
            outcome["attribute"] = self.attribute(attribute, room)
        return outcome

    def attribute(self, attribute, room):
        """What is in the room, by the numbers of sspi.h."""
        if attribute == 0:
            sizes = Sizes.from_buffer(room)
            told = ("maximum_signature", "block_size", "security_trailer")
            return {"sizes": {name: getattr(sizes, name) for name in told}}
        if attribute == 1:
            return {"names": self.text(Names.from_buffer(room).user_name)}
        if attribute == 4:
            sizes = StreamSizes.from_buffer(room)
            return {"stream_sizes": {name: getattr(sizes, name) for name, _ in StreamSizes._fields_}}
        if attribute == 5:
            info = KeyInfo.from_buffer(room)
            return {"key_info": {
                "signature_algorithm": self.text(info.signature_algorithm),
                "encryption_algorithm": self.text(info.encryption_algorithm),
                "key_size": info.key_size,
            }}
        if attribute == 9:
            key = SessionKey.from_buffer(room)
            octets = ctypes.string_at(key.key, key.length) if key.key else b""
            self.release(key.key)
            return {"session_key": octets.hex()}
        if attribute == 10:
            self.release(c_void_p.from_buffer(room).value)
            return "other"
        if attribute == 27:
            return {"client_specified_target": self.text(c_void_p.from_buffer(room).value)}
        return "other"

    def text(self, address):
        text = until_zero(address)
        self.release(address)
        return text

    def release(self, address):
        if address and "FreeContextBuffer" in self.functions:
            self.functions["FreeContextBuffer"](address)

    # --- The protocol

    CALLS = (
        "AcquireCredentialsHandle", "FreeCredentialsHandle", "EnumerateSecurityPackages", "QuerySecurityPackageInfo",
        "FreeContextBuffer", "InitializeSecurityContext", "AcceptSecurityContext", "CompleteAuthToken", "MakeSignature", "VerifySignature", "EncryptMessage", "DecryptMessage",
        "QueryContextAttributes", "DeleteSecurityContext",
    )

    def answer(self, line):
        try:
            (what, said), = json.loads(line).items()
            if what == "start" and said["protocol"] != PROTOCOL_VERSION:
                raise CannotAnswer(f"this adapter speaks version {PROTOCOL_VERSION} of the protocol")
            if what == "start":
                self.begin()
                offered = ["c-memory"] if "FreeContextBuffer" in self.functions else []
                return {"started": {"protocol": PROTOCOL_VERSION, "name": self.name, "capabilities": offered}}
            if what == "stop":
                self.begin()
                return {"done": {}}
            if what != "call":
                raise CannotAnswer("this adapter answers calls and offers nothing beside that")
            (function, arguments), = said.items()
            if function not in self.CALLS:
                raise Unable("this adapter does not know the function")
            return {"outcome": getattr(self, function)(**arguments)}
        except Unable as reason:
            return {"unable": {"message": str(reason)}}
        except CannotAnswer as reason:
            return {"error": {"message": str(reason)}}
        # Nothing of the request is repeated: it may hold a secret.
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as reason:
            return {"error": {"message": f"no request: {type(reason).__name__}"}}


def main():
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} LIBRARY", file=sys.stderr)
        return 2
    try:
        adapter = Adapter(sys.argv[1])
    except (OSError, AttributeError) as reason:
        print(f"{sys.argv[1]}: {reason}", file=sys.stderr)
        return 1
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := requests.readline(LONGEST_LINE):
        answers.write(json.dumps(adapter.answer(line)).encode() + b"\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
