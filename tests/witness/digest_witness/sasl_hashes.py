"""A1, A2, response and rspauth of RFC 2831 2.1.2.1 and 2.1.3."""

import hashlib

from .charset import hash_form
from .hashes import h, request_digest

NO_ENTITY = b"0" * 32


def sasl_user_hash(username, realm, password, form=hash_form):
    """The 16 octets H(username ":" realm ":" password); the arguments are text."""
    return hashlib.md5(b":".join(map(form, (username, realm, password))), usedforsecurity=False).digest()


def sasl_session_key(user, nonce, cnonce, authzid=None):
    """The 16 octets H(A1): of the raw user hash, and `authzid` in UTF-8 where there is one."""
    fields = [user, nonce, cnonce] + ([] if authzid is None else [authzid])
    return hashlib.md5(b":".join(fields), usedforsecurity=False).digest()


def _h_a2(method, digest_uri, qop):
    return h(method, digest_uri) if qop.lower() == b"auth" else h(method, digest_uri, NO_ENTITY)


def sasl_response(key, nonce, nc, cnonce, qop, digest_uri, method=b"AUTHENTICATE"):
    """The response-value, in 32 digits; everything but the key (16 octets) as it stands on the wire."""
    digits = key.hex().encode("ascii")
    return request_digest(digits, nonce, nc, cnonce, qop, _h_a2(method, digest_uri, qop))


def sasl_rspauth(key, nonce, nc, cnonce, qop, digest_uri):
    """The server's proof: as the response, with an empty method."""
    return sasl_response(key, nonce, nc, cnonce, qop, digest_uri, method=b"")
