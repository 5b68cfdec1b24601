"""The security layers of RFC 2831 2.3 and 2.4: keys, wrapping and unwrapping, sequence numbers."""

import hashlib
import hmac

from .ciphers import Cbc, Des, Rc4, TripleDes, des_key

INTEGRITY = "auth-int"
CIPHERS = ("rc4", "3des", "rc4-56", "rc4-40", "des")  # in the order of preference
CLIENT_TO_SERVER = "client-to-server"
SERVER_TO_CLIENT = "server-to-client"
DIRECTIONS = (CLIENT_TO_SERVER, SERVER_TO_CLIENT)

OK = "ok"
INCOMPLETE = "incomplete"
ALTERED = "altered"
OUT_OF_SEQUENCE = "out-of-sequence"
DEAD = "dead"

_BLOCK_CIPHERS = ("3des", "des")
_KEY_OCTETS = {"rc4-40": 5, "rc4-56": 7}
_TYPE = b"\x00\x01"
_NUMBERS = 1 << 32


def _md5(octets):
    return hashlib.md5(octets, usedforsecurity=False).digest()


def integrity_key(session_key, direction):
    """Kic or Kis of H(A1)."""
    return _md5(session_key + b"Digest session key to " + direction.encode("ascii") + b" signing key magic constant")


def confidentiality_key(session_key, direction, cipher):
    """Kcc or Kcs of the first n octets of H(A1)."""
    n = _KEY_OCTETS.get(cipher, 16)
    return _md5(session_key[:n] + b"Digest H(A1) to " + direction.encode("ascii") + b" sealing key magic constant")


def cipher_of(key, cipher):
    """The cipher in its first state, from Kcc or Kcs."""
    if cipher == "des":
        return Cbc(Des(des_key(key[:7])), key[8:])
    if cipher == "3des":
        first, second = des_key(key[:7]), des_key(key[7:14])
        return Cbc(TripleDes(first, second, first), key[8:])
    return Rc4(key)


def mac(key, number, message):
    """The first ten octets of HMAC-MD5 over the number and the message."""
    return hmac.new(key, number.to_bytes(4, "big") + message, hashlib.md5).digest()[:10]


def padding(layer, length):
    """What fills message and MAC up to whole blocks: at least one octet, each saying how many."""
    if layer not in _BLOCK_CIPHERS:
        return b""
    count = 8 - (length + 10) % 8
    return bytes([count]) * count


class _Side:
    def __init__(self, session_key, direction, layer):
        self.layer = layer
        self.key = integrity_key(session_key, direction)
        self.number = 0
        self.cipher = None
        if layer != INTEGRITY:
            self.cipher = cipher_of(confidentiality_key(session_key, direction, layer), layer)


class Sender(_Side):
    """What one peer sends; both kinds of message share the numbers."""

    def sign(self, message):
        """The 16 octets of the signature, or None when the numbers are used up."""
        if self.number == _NUMBERS:
            return None
        number, self.number = self.number, self.number + 1
        return mac(self.key, number, message) + _TYPE + number.to_bytes(4, "big")

    def wrap(self, message):
        """The whole protected message, or None when the numbers are used up."""
        signature = self.sign(message)
        if signature is None or self.cipher is None:
            return signature and message + signature
        plain = message + padding(self.layer, len(message)) + signature[:10]
        return self.cipher.encrypt(plain) + signature[10:]


class Receiver(_Side):
    """What one peer receives: a status, and the message where it is ok."""

    def __init__(self, session_key, direction, layer):
        super().__init__(session_key, direction, layer)
        self.dead = False

    def verify(self, message, signature):
        if self.dead:
            return DEAD
        if len(signature) != 16 or signature[10:12] != _TYPE:
            return ALTERED
        number = int.from_bytes(signature[12:], "big")
        if not hmac.compare_digest(mac(self.key, number, message), signature[:10]):
            return ALTERED
        if number != self.number:
            return OUT_OF_SEQUENCE
        self.number += 1
        return OK

    def unwrap(self, wrapped):
        if self.dead:
            return DEAD, None
        if len(wrapped) < 16 + len(padding(self.layer, 0)):
            return INCOMPLETE, None
        if self.cipher is None:
            message = wrapped[:-16]
            status = self.verify(message, wrapped[-16:])
            return status, message if status == OK else None
        if wrapped[-6:-4] != _TYPE:
            return ALTERED, None
        if int.from_bytes(wrapped[-4:], "big") != self.number:
            return OUT_OF_SEQUENCE, None
        message = self._decrypted(wrapped[:-6])
        if message is None:
            # The cipher's state is that of a message which never was.
            self.dead = True
            return ALTERED, None
        self.number += 1
        return OK, message

    def _decrypted(self, octets):
        pad = 0
        if self.layer in _BLOCK_CIPHERS:
            if len(octets) % 8:
                return None
            plain = self.cipher.decrypt(octets)
            pad = plain[-11]
            if not 1 <= pad <= 8 or plain[-10 - pad : -10] != bytes([pad]) * pad:
                return None
        else:
            plain = self.cipher.decrypt(octets)
        message = plain[: len(plain) - 10 - pad]
        return message if hmac.compare_digest(mac(self.key, self.number, message), plain[-10:]) else None
