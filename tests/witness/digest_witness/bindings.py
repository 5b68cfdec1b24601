"""Extended protection: what ties a response to its channel and its service (draft-santesson-digestbind-01)."""

import hashlib
import struct

from .messages import is_digest, members

UPGRADED = b"+Upgraded+v1"
NO_CHANNEL = b"0" * 32
_HEADER = struct.Struct("<8I")


class BindingsError(Exception):
    """No SEC_CHANNEL_BINDINGS structure."""


def parse_bindings(buffer):
    """(type, address) of initiator and acceptor, and the application data, of a SEC_CHANNEL_BINDINGS structure."""
    if len(buffer) < _HEADER.size:
        raise BindingsError
    fields = _HEADER.unpack_from(buffer)

    def part(length, offset):
        if length == 0:
            return b""
        if offset + length > len(buffer):
            raise BindingsError
        return buffer[offset : offset + length]

    initiator = fields[0], part(fields[1], fields[2])
    acceptor = fields[3], part(fields[4], fields[5])
    return initiator, acceptor, part(fields[6], fields[7])


def serialised(initiator, acceptor, application_data):
    """What is hashed: types and lengths as 32 bits, the lowest octet first."""

    def counted(octets):
        return struct.pack("<I", len(octets)) + octets

    (initiator_type, initiator_address), (acceptor_type, acceptor_address) = initiator, acceptor
    return (
        struct.pack("<I", initiator_type)
        + counted(initiator_address)
        + struct.pack("<I", acceptor_type)
        + counted(acceptor_address)
        + counted(application_data)
    )


def bindings_hash(buffer):
    return hashlib.md5(serialised(*parse_bindings(buffer)), usedforsecurity=False).digest()


def is_upgraded_challenge(nonce):
    return nonce.startswith(b"+Upgraded+")


def _covering(service_name, channel_binding):
    return hashlib.md5(service_name + b":" + channel_binding, usedforsecurity=False).hexdigest().encode("ascii")


def upgraded_cnonce(service_name, channel_binding, entropy):
    """The cnonce that covers both directives; `channel_binding` in 32 digits, `entropy` 16 octets."""
    return UPGRADED + _covering(service_name, channel_binding) + entropy.hex().encode("ascii")


def presented(message):
    """What a parsed response says: "missing", "inconsistent", or "bound" with service name and hash."""
    values = [message.get(name) for name in ("hashed-dirs", "service-name", "channel-binding")]
    cnonce = message.get("cnonce")
    if not any(value is not None for value in values) and not cnonce.startswith(UPGRADED):
        return "missing", None, None
    if any(value is None for value in values):
        return "inconsistent", None, None
    hashed, service_name, channel_binding = values
    listed = members(hashed)
    covering = cnonce[len(UPGRADED) : len(UPGRADED) + 32]
    if (
        b"service-name" in listed
        and b"channel-binding" in listed
        and is_digest(channel_binding)
        and cnonce.startswith(UPGRADED)
        and covering.lower() == _covering(service_name, channel_binding)
        and len(cnonce) > len(UPGRADED) + 32
    ):
        return "bound", service_name, bytes.fromhex(channel_binding.decode("ascii"))
    return "inconsistent", None, None
