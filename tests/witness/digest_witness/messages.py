"""The three messages: which directives they know, what their values may be, what they need."""

import re

from .charset import ISO_8859_1, UTF_8, decode
from .directives import Offence, scan, syntax

MAXIMUM_CHALLENGE = 2047

_HEX_8 = re.compile(rb"[0-9A-Fa-f]{8}")
_HEX_32 = re.compile(rb"[0-9A-Fa-f]{32}")
_QOP_SEPARATORS = re.compile(rb"[, \t\r\n]+")  # a CR or LF in a value is always part of a fold


def is_digest(value):
    """Whether this is 128 bits in hexadecimal, of either case."""
    return _HEX_32.fullmatch(value) is not None


def _anything(_):
    return True


def _one_of(*words):
    return lambda value: value.lower() in words


def _is_count(value):
    return _HEX_8.fullmatch(value) is not None


def _has_members(value):
    return any(_QOP_SEPARATORS.split(value))


_QOP = _one_of(b"auth", b"auth-int")
_CHARSET = _one_of(b"utf-8")

RESPONSE = {
    "username": _anything,
    "realm": _anything,
    "nonce": _anything,
    "uri": lambda value: value != b"",
    "qop": _QOP,
    "nc": _is_count,
    "cnonce": _anything,
    "response": is_digest,
    "opaque": _anything,
    "algorithm": _one_of(b"md5", b"md5-sess"),
    "charset": _CHARSET,
    "hashed-dirs": _anything,
    "service-name": _anything,
    "channel-binding": _anything,
}
RESPONSE_REQUIRED = ("username", "realm", "nonce", "uri", "qop", "nc", "cnonce", "response", "opaque")

CHALLENGE = {
    "realm": _anything,
    "nonce": _anything,
    "domain": _anything,
    "opaque": _anything,
    "stale": _anything,
    "algorithm": _anything,
    "qop": _has_members,
    "charset": _CHARSET,
}
CHALLENGE_REQUIRED = ("realm", "nonce")

AUTHENTICATION_INFO = {
    "nextnonce": _anything,
    "qop": _QOP,
    "rspauth": is_digest,
    "cnonce": _anything,
    "nc": _is_count,
}


class Message:
    """A token whose known directives are each there once at most, and valid."""

    def __init__(self, token, known, username_of_response=False):
        self.values = {}
        self.positions = {}
        self.unknown = []
        for directive in scan(token):
            name = directive.key()
            if name not in known:
                self.unknown.append((directive.name, directive.value()))
                continue
            if name in self.values:
                raise Offence(f"repeated:{name}", directive.name_at)
            if name == "username" and username_of_response:
                value = directive.username_value()
            else:
                value = directive.value()
            if not known[name](value):
                raise Offence(f"invalid:{name}", directive.value_at)
            self.values[name] = value
            self.positions[name] = directive.value_at

    def get(self, name):
        return self.values.get(name)

    def charset(self):
        return UTF_8 if "charset" in self.values else ISO_8859_1

    def texts(self, names):
        """The values that are text, decoded, by name."""
        decoded = {}
        for name in names:
            if name in self.values:
                decoded[name] = decode(self.values[name], self.charset())
                if decoded[name] is None:
                    raise Offence(f"invalid:{name}", self.positions[name])
        return decoded

    def require(self, names):
        for name in names:
            if name not in self.values:
                raise Offence(f"missing:{name}")


def parse_response(token):
    """An Authorization header as an acceptor demands it."""
    message = Message(token, RESPONSE, username_of_response=True)
    message.texts(("username", "realm"))
    message.require(RESPONSE_REQUIRED)
    return message


def parse_challenge(token):
    """A WWW-Authenticate header; the message and its realm as text."""
    if len(token) > MAXIMUM_CHALLENGE:
        raise syntax(MAXIMUM_CHALLENGE)
    message = Message(token, CHALLENGE)
    texts = message.texts(("realm",))
    message.require(CHALLENGE_REQUIRED)
    return message, texts["realm"]


def parse_authentication_info(token):
    return Message(token, AUTHENTICATION_INFO)


def offered_qop(value):
    """The members of a challenge's qop directive."""
    members = [member.lower() for member in _QOP_SEPARATORS.split(value) if member]
    return {
        "auth": b"auth" in members,
        "auth-int": b"auth-int" in members,
        "others": any(member not in (b"auth", b"auth-int") for member in members),
    }


def offered_algorithm(value):
    if value is None:
        return "absent"
    return {b"md5": "MD5", b"md5-sess": "MD5-sess"}.get(value.lower(), "unknown")
