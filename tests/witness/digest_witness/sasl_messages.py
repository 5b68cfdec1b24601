"""The messages of SASL DIGEST-MD5: which directives they know, what their values may be, what they need."""

import re

from .charset import UTF_8, decode
from .directives import Offence, syntax
from .layers import CIPHERS, INTEGRITY
from .messages import MAXIMUM_CHALLENGE, Message, anything, is_count, is_digest, members, one_of

MAXBUF_DEFAULT = 65536
MAXBUF_LEAST = 17
MAXBUF_MOST = 16777215

_NUMBER = re.compile(rb"[0-9]+")
_CHARSET = one_of(b"utf-8")


def _is_maxbuf(value):
    return _NUMBER.fullmatch(value) is not None and MAXBUF_LEAST <= _number(value) <= MAXBUF_MOST


def _number(digits):
    # Python refuses numbers of thousands of digits; leading zeros are no part of the number.
    digits = digits.lstrip(b"0")
    return int(digits or b"0") if len(digits) < 20 else MAXBUF_MOST + 1


def _is_digest_uri(value):
    """serv-type "/" host, and perhaps more."""
    parts = value.split(b"/")
    return len(parts) >= 2 and parts[0] != b"" and parts[1] != b""


def _is_authzid(value):
    return value != b"" and decode(value, UTF_8) is not None


SASL_RESPONSE = {
    "username": anything,
    "realm": anything,
    "nonce": anything,
    "cnonce": anything,
    "nc": is_count,
    "qop": one_of(b"auth", b"auth-int", b"auth-conf"),
    "digest-uri": _is_digest_uri,
    "response": is_digest,
    "maxbuf": _is_maxbuf,
    "charset": _CHARSET,
    "cipher": one_of(*(cipher.encode("ascii") for cipher in CIPHERS)),
    "authzid": _is_authzid,
}
SASL_RESPONSE_REQUIRED = ("username", "nonce", "cnonce", "nc", "digest-uri", "response")

SASL_CHALLENGE = {
    "realm": anything,
    "nonce": anything,
    "qop": members,
    "stale": anything,
    "maxbuf": _is_maxbuf,
    "charset": _CHARSET,
    "algorithm": anything,
    "cipher": members,
}
SASL_CHALLENGE_REQUIRED = ("nonce", "algorithm")


class SaslResponse:
    """A digest-response as an acceptor demands it."""

    def __init__(self, token):
        message = Message(token, SASL_RESPONSE, username_of_response=True)
        texts = message.texts(("username", "realm"))
        message.require(SASL_RESPONSE_REQUIRED)
        self.qop_text = message.values.get("qop", b"auth")
        self.qop = self.qop_text.lower().decode("ascii")
        cipher = message.get("cipher")
        self.cipher = None if cipher is None else cipher.lower().decode("ascii")
        if self.qop == "auth-conf":
            message.require(("cipher",))
        self.message = message
        self.username = texts["username"]
        self.realm = texts.get("realm", "")
        self.maxbuf = _maxbuf(message)
        self.authzid = message.get("authzid")  # UTF-8, as it is hashed
        self.unknown = message.unknown

    def get(self, name):
        return self.message.get(name)

    def layer(self):
        """What protects the messages behind it: None, "auth-int", or the cipher."""
        return {"auth": None, "auth-int": INTEGRITY, "auth-conf": self.cipher}[self.qop]


class SaslChallenge:
    """A digest-challenge."""

    def __init__(self, token):
        if len(token) > MAXIMUM_CHALLENGE:
            raise syntax(MAXIMUM_CHALLENGE)
        message = Message(token, SASL_CHALLENGE, often=("realm",))
        self.realms = []
        for octets, position in message.every["realm"]:
            realm = decode(octets, message.charset())
            if realm is None:
                raise Offence("invalid:realm", position)
            self.realms.append(realm)
        message.require(SASL_CHALLENGE_REQUIRED)
        qop = members(message.values.get("qop", b"auth"))
        words = ("auth", "auth-int", "auth-conf")
        self.qop = {word: word.encode("ascii") in qop for word in words}
        self.qop["others"] = any(member not in [word.encode("ascii") for word in words] for member in qop)
        ciphers = members(message.values.get("cipher", b""))
        self.ciphers = [cipher for cipher in CIPHERS if cipher.encode("ascii") in ciphers]
        self.algorithm = "md5-sess" if message.get("algorithm").lower() == b"md5-sess" else "unknown"
        self.stale = message.values.get("stale", b"").lower() == b"true"
        self.maxbuf = _maxbuf(message)
        self.nonce = message.get("nonce")
        self.charset = message.charset()
        self.unknown = message.unknown


def _maxbuf(message):
    value = message.get("maxbuf")
    return MAXBUF_DEFAULT if value is None else _number(value)
