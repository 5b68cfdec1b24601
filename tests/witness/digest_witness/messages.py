"""The three messages: which directives they know, what their values may be, what they need."""

import re

from .charset import ISO_8859_1, UTF_8, decode
from .directives import Offence, scan, syntax

MAXIMUM_CHALLENGE = 2047

_HEX_8 = re.compile(rb"[0-9A-Fa-f]{8}")
_HEX_32 = re.compile(rb"[0-9A-Fa-f]{32}")
_SEPARATORS = re.compile(rb"[, \t\r\n]+")  # a CR or LF in a value is always part of a fold


def is_digest(value):
    """Whether this is 128 bits in hexadecimal, of either case."""
    return _HEX_32.fullmatch(value) is not None


def anything(_):
    return True


def one_of(*words):
    return lambda value: value.lower() in words


def is_count(value):
    return _HEX_8.fullmatch(value) is not None


def members(value):
    """The tokens of a list, in lower case; commas and white space separate them."""
    return [member.lower() for member in _SEPARATORS.split(value) if member]


_QOP = one_of(b"auth", b"auth-int")
_CHARSET = one_of(b"utf-8")

RESPONSE = {
    "username": anything,
    "realm": anything,
    "nonce": anything,
    "uri": lambda value: value != b"",
    "qop": _QOP,
    "nc": is_count,
    "cnonce": anything,
    "response": is_digest,
    "opaque": anything,
    "algorithm": one_of(b"md5", b"md5-sess"),
    "charset": _CHARSET,
    "hashed-dirs": anything,
    "service-name": anything,
    "channel-binding": anything,
}
RESPONSE_REQUIRED = ("username", "realm", "nonce", "uri", "qop", "nc", "cnonce", "response", "opaque")

CHALLENGE = {
    "realm": anything,
    "nonce": anything,
    "domain": anything,
    "opaque": anything,
    "stale": anything,
    "algorithm": anything,
    "qop": members,
    "charset": _CHARSET,
}
CHALLENGE_REQUIRED = ("realm", "nonce")

AUTHENTICATION_INFO = {
    "nextnonce": anything,
    "qop": _QOP,
    "rspauth": is_digest,
    "cnonce": anything,
    "nc": is_count,
}


class Message:
    """A token whose known directives are valid, and there once at most: but for those that may be there often."""

    def __init__(self, token, known, username_of_response=False, often=()):
        self.values = {}
        self.positions = {}
        self.every = {name: [] for name in often}  # (value, position) of those that may be there often
        self.unknown = []
        for directive in scan(token):
            name = directive.key()
            if name not in known:
                self.unknown.append((directive.name, directive.value()))
                continue
            if name in self.values and name not in self.every:
                raise Offence(f"repeated:{name}", directive.name_at)
            if name == "username" and username_of_response:
                value = directive.username_value()
            else:
                value = directive.value()
            if not known[name](value):
                raise Offence(f"invalid:{name}", directive.value_at)
            self.values[name] = value
            self.positions[name] = directive.value_at
            if name in self.every:
                self.every[name].append((value, directive.value_at))

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
    offered = members(value)
    return {
        "auth": b"auth" in offered,
        "auth-int": b"auth-int" in offered,
        "others": any(member not in (b"auth", b"auth-int") for member in offered),
    }


def offered_algorithm(value):
    if value is None:
        return "absent"
    return {b"md5": "MD5", b"md5-sess": "MD5-sess"}.get(value.lower(), "unknown")
