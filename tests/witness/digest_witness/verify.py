"""Answers one request of the protocol (README.md)."""

import hmac

from .directives import Offence
from .hashes import h_a2, request_digest, session_key, user_hash, user_hash_utf8
from .messages import (
    is_digest,
    offered_algorithm,
    offered_qop,
    parse_authentication_info,
    parse_challenge,
    parse_response,
)
from .sasl_verify import ANSWERS


def answer(request):
    """The answer to a request; an offence of the token is an answer, too."""
    judge = {
        "response": _response,
        "challenge": _challenge,
        "authentication-info": _authentication_info,
    }.get(request["kind"])
    try:
        if judge is None:
            return ANSWERS[request["kind"]](request)
        return judge(request, bytes.fromhex(request["token"]))
    except Offence as offence:
        return {"verdict": offence.verdict, "position": offence.position}


def _octets(request, name):
    """An optional field of hex; None when absent."""
    value = request.get(name)
    return None if value is None else bytes.fromhex(value)


def _hex(value):
    return None if value is None else value.hex()


def _account(request):
    return request["username"], request["realm"], request["password"]


def _parsed(verdict, message):
    return {
        "verdict": verdict,
        "position": None,
        "fields": {name: value.hex() for name, value in message.values.items()},
        "unknown": [[name.hex(), value.hex()] for name, value in message.unknown],
    }


def _entity_offence(qop, entity):
    """What keeps H(entity-body) from being hashed: a verdict, or None."""
    if qop is None or qop.lower() != b"auth-int":
        return None
    if not entity:
        return "entity-missing"
    return None if is_digest(entity) else "entity-invalid"


def _response(request, token):
    message = parse_response(token)
    qop = message.get("qop")
    entity = _octets(request, "entity")
    offence = _entity_offence(qop, entity)
    if offence is not None:
        return _parsed(offence, message)
    nonce, cnonce = message.get("nonce"), message.get("cnonce")
    session_nonce = _octets(request, "session_nonce")
    session_cnonce = _octets(request, "session_cnonce")
    a2 = h_a2(_octets(request, "method"), message.get("uri"), qop, entity)
    for user in (user_hash(*_account(request)), user_hash_utf8(*_account(request))):
        key = session_key(
            offered_algorithm(message.get("algorithm")),
            user,
            nonce if session_nonce is None else session_nonce,
            cnonce if session_cnonce is None else session_cnonce,
        )
        expected = request_digest(key, nonce, message.get("nc"), cnonce, qop, a2)
        if hmac.compare_digest(expected, message.get("response").lower()):
            return _parsed("right", message)
    return _parsed("differs", message)


def _challenge(request, token):
    message, realm = parse_challenge(token)
    qop = message.get("qop")
    stale = message.get("stale")
    return {
        "verdict": "ok",
        "position": None,
        "fields": {
            "realm": realm.encode("utf-8").hex(),
            "nonce": message.get("nonce").hex(),
            "opaque": _hex(message.get("opaque")),
            "domain": _hex(message.get("domain")),
            "stale": stale is not None and stale.lower() == b"true",
            "algorithm": offered_algorithm(message.get("algorithm")),
            "qop": None if qop is None else offered_qop(qop),
            "charset": message.charset(),
        },
        "unknown": [[name.hex(), value.hex()] for name, value in message.unknown],
    }


def _authentication_info(request, token):
    message = parse_authentication_info(token)
    if message.get("rspauth") is None:
        return _parsed("missing:rspauth", message)
    qop = _octets(request, "qop")
    entity = _octets(request, "entity")
    offence = _entity_offence(qop, entity)
    if offence is not None:
        return _parsed(offence, message)
    nonce, cnonce = _octets(request, "nonce"), _octets(request, "cnonce")
    session_nonce = _octets(request, "session_nonce")
    session_cnonce = _octets(request, "session_cnonce")
    key = session_key(
        request.get("algorithm"),
        user_hash(*_account(request)),
        nonce if session_nonce is None else session_nonce,
        cnonce if session_cnonce is None else session_cnonce,
    )
    a2 = h_a2(b"", _octets(request, "uri"), qop, entity)
    expected = request_digest(key, nonce, _octets(request, "nc"), cnonce, qop, a2)
    right = hmac.compare_digest(expected, message.get("rspauth").lower())
    return _parsed("right" if right else "differs", message)
