"""H, KD, A1 and A2 of RFC 2617 3.2.2 and 3.2.3. Everything here is octets; hashes are 32 hex digits."""

import hashlib

from .charset import hash_form, utf8_form


def h(*fields):
    """H(field ":" field ...), in lower-case hexadecimal."""
    return hashlib.md5(b":".join(fields), usedforsecurity=False).hexdigest().encode("ascii")


def user_hash(username, realm, password, form=hash_form):
    """H(username ":" realm ":" password); the arguments are text."""
    return h(form(username), form(realm), form(password))


def user_hash_utf8(username, realm, password):
    return user_hash(username, realm, password, utf8_form)


def session_key(algorithm, user, nonce, cnonce):
    """H(A1); MD5-sess uses the hexadecimal user hash, as the text of RFC 2617 has it."""
    return h(user, nonce, cnonce) if algorithm == "MD5-sess" else user


def h_a2(method, uri, qop, entity):
    """H(A2); `entity` is H(entity-body) in hexadecimal. The server's proof has an empty method."""
    if qop is not None and qop.lower() == b"auth-int":
        return h(method, uri, entity.lower())
    return h(method, uri)


def request_digest(key, nonce, nc, cnonce, qop, a2):
    """KD(H(A1), ...); without qop it is the form of RFC 2069."""
    if qop is None:
        return h(key, nonce, a2)
    return h(key, nonce, nc, cnonce, qop, a2)
