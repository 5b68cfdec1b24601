"""The vectors of security layers and of extended protection."""

import hashlib

from .bindings import NO_CHANNEL, upgraded_cnonce
from .generate_sasl import channel_bindings
from .layers import CIPHERS, CLIENT_TO_SERVER, DIRECTIONS, INTEGRITY, SERVER_TO_CLIENT, Sender, mac, padding
from .sasl_hashes import sasl_session_key, sasl_user_hash
from .vector_operations import BAD_BINDINGS, INCOMPLETE_MESSAGE, INVALID_TOKEN, MESSAGE_ALTERED, OUT_OF_SEQUENCE
from .vector_writing import Book, digits, interop, rng, text_or_hex
from .vectors_http import written

_LAYERS = (INTEGRITY, *CIPHERS)
_MESSAGES = ("a", "first message", "x" * 22, "the last message is a little longer")


def _given(name, layer, direction, steps):
    return {"session_key": digits(name), "direction": direction, "layer": layer, "steps": steps}


def _wrap(captured):
    book = Book(
        "sasl-wrap",
        "What one side sends, from the first message on: `wrapped` is message, padding and MAC (enciphered under a cipher), then"
        " type and number; the four octets of length in front are the protocol's. `keys` are Ki and Kc, for whoever looks for"
        " a mistake.",
    )
    for layer in _LAYERS:
        book.group(layer)
        for direction in DIRECTIONS:
            name = f"{layer}/{direction}"
            steps = [{"wrap": message} for message in ("", *_MESSAGES)]
            book.add(f"{name}/several", "five messages", "ManyMessages Directions", _given(name, layer, direction, steps))
        name = f"{layer}/signatures"
        steps = [{"wrap": "one"}, {"sign": "two"}, {"sign": ""}, {"wrap": "three"}]
        book.add(name, "signatures between messages", "SignatureOnly", _given(name, layer, CLIENT_TO_SERVER, steps))
        name = f"{layer}/lengths"
        steps = [{"wrap": "m" * length} for length in range(5, 15)]
        flags = "BlockBoundary" if layer in ("des", "3des") else "ManyMessages"
        book.add(name, "every length modulo eight", flags, _given(name, layer, SERVER_TO_CLIENT, steps))
        name = f"{layer}/binary"
        octets = rng(name).randbytes(64)
        book.add(name, "any octets", "Ordinary", _given(name, layer, CLIENT_TO_SERVER, [{"wrap": {"hex": octets.hex()}}]))
    book.group("Written by other programs.")
    for name, capture, direction, given, wrapped in _captured(captured):
        messages = {**given, "steps": [{"wrap": text_or_hex(message)} for message, _ in wrapped]}
        before = len(book.groups[-1]["vectors"])
        book.add(name, capture["peer"], "Captured ManyMessages", messages, source=interop(capture["peer"]))
        steps = book.groups[-1]["vectors"][before]["expected"]["steps"]
        # What the other program wrote is what must come out.
        if [step["wrapped"] for step in steps] != [octets.hex() for _, octets in wrapped]:
            raise AssertionError(f"{name}: {capture['peer']} wraps otherwise")
    return book


def _captured(captured):
    for capture in captured:
        if "layer" not in capture:
            continue
        response = capture["response"]
        user = sasl_user_hash(capture["username"], capture["realm"], capture["password"])
        key = sasl_session_key(user, response.get("nonce"), response.get("cnonce"))
        for direction in DIRECTIONS:
            given = {"session_key": key.hex(), "direction": direction, "layer": capture["layer"]}
            pairs = [tuple(bytes.fromhex(octets) for octets in pair) for pair in capture[direction]]
            yield f"{capture['name']}/{direction}", capture, direction, given, pairs


class _Traffic:
    """Protected messages of one sender, as steps of a receiver."""

    def __init__(self, name, layer, direction=CLIENT_TO_SERVER):
        self.given = _given(name, layer, direction, [])
        self.sender = Sender(bytes.fromhex(self.given["session_key"]), direction, layer)

    def wrap(self, message):
        return self.sender.wrap(message.encode("utf-8"))

    def steps(self, *steps):
        return {**self.given, "steps": list(steps)}


def _unwrapping(wrapped):
    return {"unwrap": wrapped.hex()}


def _changed(octets, at, mask=1):
    at %= len(octets)
    return octets[:at] + bytes([octets[at] ^ mask]) + octets[at + 1 :]


def _unwrap(captured):
    book = Book(
        "sasl-unwrap",
        "What one side receives, from the first message on, and the status of each. `expected.status` is the first that is not"
        " SEC_E_OK. A message that is not delivered changes nothing for the next, except that an altered one ends the direction"
        " of a cipher. `accept` lists other statuses that are no mistake.",
    )
    for layer in _LAYERS:
        book.group(layer)
        _unwrap_layer(book, layer)
    book.group("Written by other programs.")
    for name, capture, _, given, wrapped in _captured(captured):
        steps = [_unwrapping(octets) for _, octets in wrapped]
        given = {**given, "steps": steps}
        book.add(name, capture["peer"], "Captured ManyMessages", given, source=interop(capture["peer"]))
        shown = [step["message"] for step in book.groups[-1]["vectors"][-1]["expected"]["steps"]]
        if shown != [text_or_hex(message) for message, _ in wrapped]:
            raise AssertionError(f"{name}: {capture['peer']} wraps otherwise")
    return book


def _unwrap_layer(book, layer):
    block = layer in ("des", "3des")
    after = "Recovers" if layer == INTEGRITY else "DeadDirection"

    def add(name, comment, flags, make, status=None):
        name = f"{layer}/{name}"
        traffic = _Traffic(name, layer)
        given = traffic.steps(*make(traffic))
        book.add(name, comment, flags, given, **({} if status is None else {"status": status}))

    def several(traffic):
        return [_unwrapping(traffic.wrap(message)) for message in ("", *_MESSAGES)]

    add("several", "five messages in order", "ManyMessages", several)

    def lengths(traffic):
        return [_unwrapping(traffic.wrap("m" * length)) for length in range(5, 15)]

    add("lengths", "every length modulo eight", "BlockBoundary" if block else "ManyMessages", lengths)

    def signatures(traffic):
        first = traffic.sender.sign(b"one")
        second = traffic.wrap("two")
        return [{"verify": "one", "signature": first.hex()}, _unwrapping(second)]

    add("signature", "a signature, then a message", "SignatureOnly", signatures)

    def changed(at, mask=1):
        def steps(traffic):
            wrapped = traffic.wrap("message")
            return [_unwrapping(_changed(wrapped, at, mask)), _unwrapping(wrapped)]

        return steps

    add("message-altered", "one bit of the message", f"AlteredMessage {after}", changed(0), MESSAGE_ALTERED)
    add("mac-altered", "one bit of the MAC", f"AlteredMac {after}", changed(-7), MESSAGE_ALTERED)
    add("type-altered", "type 0", "MessageType Recovers", changed(-5), MESSAGE_ALTERED)
    add("type-256", "type 257", "MessageType Recovers", changed(-6), MESSAGE_ALTERED)
    number_status = MESSAGE_ALTERED if layer == INTEGRITY else OUT_OF_SEQUENCE
    add("number-altered", "the next number under this MAC", "AlteredNumber Recovers", changed(-1), number_status)

    def replayed(traffic):
        first, second = traffic.wrap("one"), traffic.wrap("two")
        return [_unwrapping(first), _unwrapping(first), _unwrapping(second)]

    add("replayed", "the first message again", "Replayed Recovers", replayed, OUT_OF_SEQUENCE)

    def reordered(traffic):
        first, second = traffic.wrap("one"), traffic.wrap("two")
        return [_unwrapping(second), _unwrapping(first), _unwrapping(second)]

    add("reordered", "the second message first", "Reordered Recovers", reordered, OUT_OF_SEQUENCE)

    def last_number(traffic):
        other = Sender(bytes.fromhex(traffic.given["session_key"]), CLIENT_TO_SERVER, layer)
        other.number = 0xFFFFFFFF
        return [_unwrapping(other.wrap(b"one")), _unwrapping(traffic.wrap("one"))]

    add("last-number", "the highest number, under its right MAC", "Reordered Recovers", last_number, OUT_OF_SEQUENCE)

    def short(length):
        def steps(traffic):
            wrapped = traffic.wrap("message")
            return [_unwrapping(wrapped[:length]), _unwrapping(wrapped)]

        return steps

    least = 16 + len(padding(layer, 0))
    add("nothing", "no octets", "Truncated Recovers", short(0), INCOMPLETE_MESSAGE)
    add("one-short", f"{least - 1} octets", "Truncated Recovers", short(least - 1), INCOMPLETE_MESSAGE)

    def cut(traffic):
        wrapped = traffic.wrap("a longer message")
        return [_unwrapping(wrapped[:8] + wrapped[16:]), _unwrapping(wrapped)]

    add("cut", "eight octets less, type and number in place", f"Truncated {after}", cut, MESSAGE_ALTERED)

    def other_direction(traffic):
        other = Sender(bytes.fromhex(traffic.given["session_key"]), SERVER_TO_CLIENT, layer)
        return [_unwrapping(other.wrap(b"message"))]

    add("own-message", "a message of the other direction, as if sent back", "Directions", other_direction, MESSAGE_ALTERED)

    def bad_signature(at):
        def steps(traffic):
            signature = traffic.sender.sign(b"message")
            right = {"verify": "message", "signature": signature.hex()}
            return [{**right, "signature": _changed(signature, at).hex()}, right]

        return steps

    add("signature-altered", "one bit of a signature's MAC", "SignatureOnly AlteredMac Recovers", bad_signature(0), MESSAGE_ALTERED)
    add("signature-number", "another number in a signature", "SignatureOnly AlteredNumber Recovers", bad_signature(-1), MESSAGE_ALTERED)

    def signature_length(traffic):
        signature = traffic.sender.sign(b"message")
        right = {"verify": "message", "signature": signature.hex()}
        return [{**right, "signature": signature[:-1].hex()}, {**right, "signature": (signature + b"\0").hex()}, right]

    add("signature-length", "15 and 17 octets", "SignatureOnly Truncated Recovers", signature_length, MESSAGE_ALTERED)

    def signature_replayed(traffic):
        right = {"verify": "message", "signature": traffic.sender.sign(b"message").hex()}
        return [right, right]

    add("signature-replayed", "a signature again", "SignatureOnly Replayed", signature_replayed, OUT_OF_SEQUENCE)
    if not block:
        return

    def padded(pad):
        def steps(traffic):
            sender = traffic.sender
            plain = b"message" + pad + mac(sender.key, 0, b"message")
            return [_unwrapping(sender.cipher.encrypt(plain) + bytes.fromhex("000100000000"))]

        return steps

    # 7 octets of message and 10 of MAC need 7 of padding.
    add("padding-value", "one octet of padding says another length", "Padding", padded(b"\7\7\7\6\7\7\7"), MESSAGE_ALTERED)
    add("padding-last", "the last octet of padding says one less", "Padding", padded(b"\7" * 6 + b"\6"), MESSAGE_ALTERED)
    add("padding-zero", "padding of zeros", "Padding", padded(b"\0" * 7), MESSAGE_ALTERED)
    add("padding-two-blocks", "padding of fifteen octets, a block more than needed", "Padding", padded(b"\x0f" * 15), MESSAGE_ALTERED)
    add("padding-of-everything", "padding longer than what is there", "Padding", padded(b"\x40" * 7), MESSAGE_ALTERED)

    def ragged(traffic):
        wrapped = traffic.wrap("message")
        return [_unwrapping(wrapped[:-6] + b"\0" + wrapped[-6:]), _unwrapping(wrapped)]

    add("not-whole-blocks", "an octet too many before type and number", "NotWholeBlocks DeadDirection", ragged, MESSAGE_ALTERED)


# Extended protection

_NONE = (0, b"")
_TLS = b"tls-server-end-point:" + hashlib.sha256(b"certificate").digest()


def _bindings():
    book = Book(
        "channel-bindings",
        "The hash of a SEC_CHANNEL_BINDINGS structure: MD5 of types, lengths and octets of initiator and acceptor, then of the"
        " application data; integers little-endian.",
    )
    book.group("Good ones.")
    plain = channel_bindings(_NONE, _NONE, _TLS)

    def add(name, comment, flags, buffer, **more):
        book.add(name, comment, flags, {"buffer": buffer.hex()}, **more)

    add("application-data", "a hash of a server's certificate", "NoAddresses", plain)
    add("nothing", "the structure alone: hash of twenty zeros", "EmptyValue", bytes(32))
    add("unique", "tls-unique", "NoAddresses", channel_bindings(_NONE, _NONE, b"tls-unique:" + bytes(12)))
    ipv4, ipv6 = (2, bytes([192, 0, 2, 1])), (23, bytes.fromhex("20010db8000000000000000000000001"))
    add("addresses", "an IPv4 and an IPv6 address", "Addresses", channel_bindings(ipv4, ipv6, _TLS))
    add("types-alone", "types without addresses count", "Addresses", channel_bindings((255, b""), (2, b""), b""))
    add("gap", "octets that nothing points to", "Addresses", channel_bindings(ipv4, _NONE, b"data", b"unused"))
    offsets = bytearray(plain)
    offsets[8:12] = offsets[20:24] = b"\xff" * 4
    add("unused-offsets", "offsets of empty addresses point nowhere", "UnusedOffset NoAddresses", bytes(offsets))
    shared = bytearray(channel_bindings(ipv4, ipv4, b""))
    shared[20:24] = shared[8:12]
    add("shared", "both addresses are the same octets", "Addresses", bytes(shared[:36]))
    book.group("Bad ones.")
    add("empty-buffer", "no octets", "ShortStructure", b"", status=INVALID_TOKEN)
    add("31-octets", "one octet short of the structure", "ShortStructure", bytes(31), status=INVALID_TOKEN)
    add("cut", "the last octet is missing", "OutsideOfBuffer", plain[:-1], status=INVALID_TOKEN)
    for name, at, value in (
        ("data-length", 24, len(_TLS) + 1), ("data-offset", 28, 33), ("highest-length", 24, 0xFFFFFFFF),
        ("highest-offset", 28, 0xFFFFFFFF), ("sum-wraps", 28, 0xFFFFFFFF - len(_TLS) + 33),
        ("initiator-length", 4, 0x80000000), ("acceptor-length", 16, 0x7FFFFFFF),
    ):  # fmt: skip
        buffer = bytearray(plain)
        buffer[at : at + 4] = value.to_bytes(4, "little")
        add(name, f"the integer at {at} is {value}", "OutsideOfBuffer", bytes(buffer), status=INVALID_TOKEN)
    return book


_HTTP = {
    "username": '"Mufasa"',
    "realm": '"testrealm@host.com"',
    "nonce": '"+Upgraded+v1dcd98b7102dd2f0e8b11d0f600bfb0c093"',
    "uri": '"/dir/index.html"',
    "qop": "auth",
    "nc": "00000001",
    "response": '"' + "0" * 32 + '"',
    "opaque": '"5ccc069c403ebaf9f0171e9517f40e41"',
}


def _extended():
    book = Book(
        "extended-protection",
        "What a response of HTTP presents about its channel and service, and whether an acceptor with these bindings (null: the"
        " channel ends elsewhere, nothing is compared) and this policy goes on. The digest is not judged here.",
    )
    buffer = channel_bindings(_NONE, _NONE, _TLS)
    right = hashlib.md5(bytes(12) + bytes(4) + len(_TLS).to_bytes(4, "little") + _TLS).hexdigest()
    service = "HTTP/www.nowhere.org"

    def token(name, cnonce=None, hashed="service-name,channel-binding", service_name=service, binding=right, covered=None):
        covered_service, covered_binding = covered or (service_name or "", binding or "")
        if cnonce is None:
            entropy = bytes.fromhex(digits(name))
            cnonce = upgraded_cnonce(covered_service.encode(), covered_binding.encode(), entropy).decode()
        quoted = {"cnonce": cnonce, "hashed_dirs": hashed, "service_name": service_name, "channel_binding": binding}
        return written(_HTTP, **{key: None if value is None else f'"{value}"' for key, value in quoted.items()})

    def add(name, comment, flags, text, bindings=buffer, policy="allow-missing", **more):
        given = {"token": text, "bindings": None if bindings is None else bindings.hex(), "policy": policy}
        book.add(name, comment, flags, given, **more)

    none = {"hashed": None, "service_name": None, "binding": None}
    zeros = NO_CHANNEL.decode()
    book.group("Good ones.")
    for policy in ("allow-missing", "required"):
        add(f"bound-{policy}", "bound to this channel", "BoundResponse", token(f"bound-{policy}"), policy=policy)
        name = f"proxied-{policy}"
        add(name, "the channel ends elsewhere", "BoundResponse", token(name, binding=digits(name)), None, policy)
    add("missing-allowed", "a client without extended protection", "NotThere", token("m", cnonce="0a4f113b", **none))
    add("zeros-proxied", "no channel on the client's side, none here", "ZeroHash", token("z", binding=zeros), None)
    add("no-service", "an empty service name", "BoundResponse EmptyValue", token("n", service_name=""))
    add("list", "white space, capitals and another member", "Lists", token("l", hashed="Channel-Binding , x, SERVICE-NAME"))
    upper = upgraded_cnonce(service.encode(), right.encode(), bytes(16)).decode()
    capitals = upper[:12] + upper[12:44].upper() + upper[44:]
    add("hash-in-capitals", "the hash inside the cnonce in upper case", "CaseOfDigits", token("h", cnonce=capitals))
    add("short-entropy", "one octet behind the hash", "BoundResponse", token("s", cnonce=upper[:45]))
    book.group("Bad ones.")
    bad = {"status": BAD_BINDINGS}
    missing = token("mr", cnonce="0a4f113b", **none)
    add("missing-required", "a client without extended protection", "NotThere", missing, policy="required", **bad)
    add("another-channel", "bound to another channel", "AnotherChannel", token("ac", binding=digits("ac")), **bad)
    add("zeros", "the client knew of no channel, and there is one", "ZeroHash", token("zb", binding=zeros), **bad)
    plain = "0a4f113b"
    add("plain-cnonce", "the directives without their cnonce", "NotCovered", token("p", cnonce=plain), **bad)
    add("cnonce-alone", "the cnonce without its directives", "PartlyThere", token("c", cnonce=upper, **none), **bad)
    add("prefix-in-small-letters", "+upgraded+v1", "NotCovered Prefix", token("u", cnonce=upper.lower()), **bad)
    add("no-entropy", "nothing behind the hash", "NotCovered", token("e", cnonce=upper[:44]), **bad)
    add("service-changed", "another service than the covered one", "NotCovered",
        token("sc", service_name="HTTP/other", covered=(service, right)), **bad)  # fmt: skip
    add("binding-changed", "another hash than the covered one", "NotCovered",
        token("bc", binding=right, covered=(service, zeros)), **bad)  # fmt: skip
    for name, left_out in (("hashed-dirs", "hashed"), ("service-name", "service_name"), ("channel-binding", "binding")):
        text = token(name, cnonce=upper, **{left_out: None})
        add(f"no-{name}", f"{name} is missing", "PartlyThere", text, **bad)
    add("list-without-binding", "hashed-dirs names one only", "PartlyThere", token("lb", hashed="service-name"), **bad)
    add("list-without-service", "hashed-dirs names one only", "PartlyThere", token("ls", hashed="channel-binding"), **bad)
    add("empty-list", "hashed-dirs is empty", "PartlyThere EmptyValue", token("el", hashed=""), **bad)
    for name, binding in (("31-digits", right[1:]), ("33-digits", right + "0"), ("no-digits", "g" * 32)):
        add(f"binding-of-{name}", "channel-binding is no hash", "InvalidValue", token(name, binding=binding), **bad)
    name = "inconsistent-proxied"
    add(name, "inconsistent, and nothing to compare with", "PartlyThere", token(name, cnonce=upper, hashed=None), None, **bad)
    return book


def _upgraded():
    book = Book(
        "upgraded-cnonce",
        "Whether a nonce asks for extended protection, and the cnonce that covers service name and channel binding with this"
        " entropy.",
    )
    book.group("The draft, sections 2 and 3.")
    for name, nonce, service_name, binding in (
        ("asked", "+Upgraded+v1dcd98b7102dd2f0e8b11d0f600bfb0c093", "HTTP/www.nowhere.org", digits("asked/binding")),
        ("no-channel", "+Upgraded+v1dcd98b7102dd2f0e8b11d0f600bfb0c093", "HTTP/www.nowhere.org", NO_CHANNEL.decode()),
        ("no-service", "+Upgraded+v1dcd98b7102dd2f0e8b11d0f600bfb0c093", "", digits("no-service/binding")),
        ("another-version", "+Upgraded+v2abc", "HTTP/host", NO_CHANNEL.decode()),
        ("prefix-alone", "+Upgraded+", "HTTP/host:8080", NO_CHANNEL.decode()),
        ("small-letters", "+upgraded+v1abc", "HTTP/host", digits("small/binding")),
        ("elsewhere", "dcd9+Upgraded+v1", "ldap/host", digits("elsewhere/binding")),
        ("plain", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "imap/host", digits("plain/binding")),
    ):
        flags = "BoundResponse" if name in ("asked", "no-service") else "ZeroHash" if name == "no-channel" else "Prefix"
        given = {"nonce": nonce, "service_name": service_name, "channel_binding": binding, "entropy": digits(name)}
        book.add(name, name.replace("-", " "), flags, given)
    return book


def books(captured):
    return [_wrap(captured), _unwrap(captured), _bindings(), _extended(), _upgraded()]
