"""Answers requests about SASL, layers and channel bindings (README.md)."""

import hmac

from .bindings import BindingsError, is_upgraded_challenge, parse_bindings, presented, serialised, upgraded_cnonce
from .hashes import h
from .layers import Receiver, Sender
from .messages import parse_authentication_info, parse_response
from .sasl_hashes import sasl_response, sasl_rspauth, sasl_session_key, sasl_user_hash
from .sasl_messages import SaslChallenge, SaslResponse


def _octets(request, name):
    value = request.get(name)
    return None if value is None else bytes.fromhex(value)


def _hex(value):
    return None if value is None else value.hex()


def _text(value):
    return value.encode("utf-8").hex()


def _pairs(unknown):
    return [[name.hex(), value.hex()] for name, value in unknown]


def _user(request):
    return sasl_user_hash(request["username"], request["realm"], request["password"])


def sasl_response_answer(request):
    """`right` or `differs`, what the token says, and what follows from it and the account."""
    response = SaslResponse(bytes.fromhex(request["token"]))
    hashed = (
        response.get("nonce"),
        response.get("nc"),
        response.get("cnonce"),
        response.qop_text,
        response.get("digest-uri"),
    )
    key = sasl_session_key(_user(request), hashed[0], hashed[2], response.authzid)
    right = hmac.compare_digest(sasl_response(key, *hashed), response.get("response").lower())
    return {
        "verdict": "right" if right else "differs",
        "position": None,
        "fields": {
            "username": _text(response.username),
            "realm": _text(response.realm),
            "nonce": hashed[0].hex(),
            "cnonce": hashed[2].hex(),
            "nc": hashed[1].hex(),
            "qop": response.qop,
            "qop_text": response.qop_text.hex(),
            "digest-uri": hashed[4].hex(),
            "response": response.get("response").lower().decode("ascii"),
            "maxbuf": response.maxbuf,
            "charset": response.message.charset(),
            "cipher": response.cipher,
            "authzid": _hex(response.authzid),
            "layer": response.layer(),
        },
        "unknown": _pairs(response.unknown),
        "session_key": key.hex(),
        "rspauth": sasl_rspauth(key, *hashed).decode("ascii"),
    }


def sasl_challenge_answer(request):
    challenge = SaslChallenge(bytes.fromhex(request["token"]))
    return {
        "verdict": "ok",
        "position": None,
        "fields": {
            "realms": [_text(realm) for realm in challenge.realms],
            "nonce": challenge.nonce.hex(),
            "qop": challenge.qop,
            "stale": challenge.stale,
            "maxbuf": challenge.maxbuf,
            "charset": challenge.charset,
            "algorithm": challenge.algorithm,
            "ciphers": challenge.ciphers,
        },
        "unknown": _pairs(challenge.unknown),
    }


def sasl_rspauth_answer(request):
    """The server's proof of a response whose directives are given."""
    message = parse_authentication_info(bytes.fromhex(request["token"]))
    proof = message.get("rspauth")
    if proof is None:
        return {"verdict": "missing:rspauth", "position": None}
    nonce, cnonce = _octets(request, "nonce"), _octets(request, "cnonce")
    key = sasl_session_key(_user(request), nonce, cnonce, _octets(request, "authzid"))
    expected = sasl_rspauth(
        key, nonce, _octets(request, "nc"), cnonce, _octets(request, "qop"), _octets(request, "digest_uri")
    )
    right = hmac.compare_digest(expected, proof.lower())
    return {"verdict": "right" if right else "differs", "position": None}


def sasl_layer_answer(request):
    """Runs a script of one direction: a sender and a receiver that do not know each other."""
    arguments = bytes.fromhex(request["session_key"]), request["direction"], request["layer"]
    sender, receiver = Sender(*arguments), Receiver(*arguments)
    steps = []
    for step in request["script"]:
        do = step["do"]
        if do == "sign":
            steps.append({"signature": _hex(sender.sign(_octets(step, "message")))})
        elif do == "wrap":
            steps.append({"wrapped": _hex(sender.wrap(_octets(step, "message")))})
        elif do == "verify":
            steps.append({"status": receiver.verify(_octets(step, "message"), _octets(step, "signature"))})
        elif do == "unwrap":
            status, message = receiver.unwrap(_octets(step, "wrapped"))
            steps.append({"status": status, "message": _hex(message)})
        else:
            raise ValueError(f"no step of a script: {do}")
    return {"verdict": "ok", "steps": steps}


def channel_bindings_answer(request):
    try:
        initiator, acceptor, application_data = parse_bindings(bytes.fromhex(request["buffer"]))
    except BindingsError:
        return {"verdict": "invalid"}
    return {
        "verdict": "ok",
        "initiator_type": initiator[0],
        "initiator": initiator[1].hex(),
        "acceptor_type": acceptor[0],
        "acceptor": acceptor[1].hex(),
        "application_data": application_data.hex(),
        "hash": h(serialised(initiator, acceptor, application_data)).decode("ascii"),
    }


def presented_answer(request):
    """What a response of HTTP presents about its channel."""
    kind, service_name, channel_binding = presented(parse_response(bytes.fromhex(request["token"])))
    return {
        "verdict": kind,
        "position": None,
        "service_name": _hex(service_name),
        "channel_binding": _hex(channel_binding),
    }


def upgraded_answer(request):
    """What an initiator makes of a nonce: whether it asks for extended protection, and the cnonce that answers."""
    cnonce = upgraded_cnonce(*(_octets(request, name) for name in ("service_name", "channel_binding", "entropy")))
    return {"verdict": "ok", "upgraded": is_upgraded_challenge(_octets(request, "nonce")), "cnonce": cnonce.hex()}


ANSWERS = {
    "sasl-response": sasl_response_answer,
    "sasl-challenge": sasl_challenge_answer,
    "sasl-rspauth": sasl_rspauth_answer,
    "sasl-layer": sasl_layer_answer,
    "channel-bindings": channel_bindings_answer,
    "presented": presented_answer,
    "upgraded": upgraded_answer,
}
