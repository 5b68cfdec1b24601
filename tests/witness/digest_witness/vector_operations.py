"""What each operation of spec/vectors must yield: from the `input` of a vector its `expected`."""

from . import layers
from .bindings import BindingsError, bindings_hash, is_upgraded_challenge, presented, upgraded_cnonce
from .charset import decode, utf8_form
from .directives import Offence
from .hashes import h_a2, request_digest, session_key, user_hash
from .messages import offered_algorithm, offered_qop, parse_challenge, parse_response
from .sasl_hashes import sasl_response, sasl_rspauth, sasl_session_key, sasl_user_hash
from .sasl_messages import SaslChallenge, SaslResponse

OK = "SEC_E_OK"
INVALID_TOKEN = "SEC_E_INVALID_TOKEN"
MESSAGE_ALTERED = "SEC_E_MESSAGE_ALTERED"
OUT_OF_SEQUENCE = "SEC_E_OUT_OF_SEQUENCE"
LOGON_DENIED = "SEC_E_LOGON_DENIED"
BAD_BINDINGS = "SEC_E_BAD_BINDINGS"
INCOMPLETE_MESSAGE = "SEC_E_INCOMPLETE_MESSAGE"

_OF_LAYER = {
    layers.OK: OK,
    layers.INCOMPLETE: INCOMPLETE_MESSAGE,
    layers.ALTERED: MESSAGE_ALTERED,
    layers.OUT_OF_SEQUENCE: OUT_OF_SEQUENCE,
    layers.DEAD: OUT_OF_SEQUENCE,
}


def text_or_hex(octets):
    """Octets as a vector shows them: as text where they are printable UTF-8, else {"hex"}."""
    text = decode(octets, "utf-8")
    if text is not None and all(letter.isprintable() or letter in "\t\r\n" for letter in text):
        return text
    return {"hex": octets.hex()}


def octets(value):
    """The way back."""
    if value is None:
        return None
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode("utf-8")


def _account(given):
    return given["username"], given["realm"], given["password"]


def _several(given, *names):
    return [octets(given[name]) for name in names]


def _status_of(right, wrong):
    return OK if right else wrong


# HTTP


def _http_key(given, user):
    return session_key(given["algorithm"], user, octets(given["nonce"]), octets(given["cnonce"]))


def _http_digest(given, user, method):
    nonce, nc, cnonce, qop, uri, entity = _several(given, "nonce", "nc", "cnonce", "qop", "uri", "entity")
    return request_digest(_http_key(given, user), nonce, nc, cnonce, qop, h_a2(method, uri, qop, entity)).decode()


def http_session_key(given):
    return {"status": OK, "session_key": _http_key(given, user_hash(*_account(given))).decode()}


def http_response(given):
    method = octets(given["method"])
    digest = _http_digest(given, user_hash(*_account(given)), method)
    # An acceptor takes the form of RFC 7616 clients, too.
    other = _http_digest(given, user_hash(*_account(given), utf8_form), method)
    right = given["response"].lower() in (digest, other)
    key = http_session_key(given)["session_key"]
    return {"status": _status_of(right, LOGON_DENIED), "session_key": key, "response": digest}


def http_rspauth(given):
    proof = _http_digest(given, user_hash(*_account(given)), b"")
    return {"status": _status_of(given["rspauth"].lower() == proof, MESSAGE_ALTERED), "rspauth": proof}


def _offence(offence):
    kind, _, directive = offence.verdict.partition(":")
    shown = {"kind": kind}
    if directive:
        shown["directive"] = directive
    if offence.position is not None:
        shown["position"] = offence.position
    return {"status": INVALID_TOKEN, "offence": shown}


def _parsed(parse, given, show):
    try:
        message = parse(octets(given["token"]))
    except Offence as offence:
        return _offence(offence)
    return {"status": OK, "directives": show(message)}


def _show_response(message):
    shown = {name: text_or_hex(value) for name, value in message.values.items()}
    for name, text in message.texts(("username", "realm")).items():
        shown[name] = text
    shown["response"] = shown["response"].lower()
    if "algorithm" in shown:
        shown["algorithm"] = offered_algorithm(message.get("algorithm"))
    if "charset" in shown:
        shown["charset"] = "utf-8"
    return dict(sorted(shown.items()))


def _optional(value):
    return None if value is None else text_or_hex(value)


def _show_challenge(parsed):
    message, realm = parsed
    qop = message.get("qop")
    return {
        "realm": realm,
        "nonce": text_or_hex(message.get("nonce")),
        "opaque": _optional(message.get("opaque")),
        "domain": _optional(message.get("domain")),
        "stale": (message.get("stale") or b"").lower() == b"true",
        "algorithm": offered_algorithm(message.get("algorithm")),
        "qop": None if qop is None else offered_qop(qop),
        "charset": message.charset(),
    }


def http_response_token(given):
    return _parsed(parse_response, given, _show_response)


def http_challenge_token(given):
    return _parsed(parse_challenge, given, _show_challenge)


# SASL


def _sasl_key(given):
    user = sasl_user_hash(*_account(given))
    return sasl_session_key(user, *_several(given, "nonce", "cnonce", "authzid"))


def _sasl_hashed(given):
    return _several(given, "nonce", "nc", "cnonce", "qop", "digest_uri")


def sasl_session_key_of(given):
    return {"status": OK, "session_key": _sasl_key(given).hex()}


def sasl_response_of(given):
    key = _sasl_key(given)
    digest = sasl_response(key, *_sasl_hashed(given)).decode()
    right = given["response"].lower() == digest
    return {"status": _status_of(right, LOGON_DENIED), "session_key": key.hex(), "response": digest}


def sasl_rspauth_of(given):
    proof = sasl_rspauth(_sasl_key(given), *_sasl_hashed(given)).decode()
    return {"status": _status_of(given["rspauth"].lower() == proof, MESSAGE_ALTERED), "rspauth": proof}


def _show_sasl_response(response):
    return {
        "username": response.username,
        "realm": response.realm,
        "nonce": text_or_hex(response.get("nonce")),
        "cnonce": text_or_hex(response.get("cnonce")),
        "nc": response.get("nc").decode("ascii"),
        "qop": response.qop_text.decode("ascii"),
        "digest-uri": text_or_hex(response.get("digest-uri")),
        "response": response.get("response").lower().decode("ascii"),
        "maxbuf": response.maxbuf,
        "charset": response.message.charset(),
        "cipher": response.cipher,
        "authzid": _optional(response.authzid),
    }


def _show_sasl_challenge(challenge):
    return {
        "realms": challenge.realms,
        "nonce": text_or_hex(challenge.nonce),
        "qop": challenge.qop,
        "stale": challenge.stale,
        "maxbuf": challenge.maxbuf,
        "charset": challenge.charset,
        "algorithm": challenge.algorithm,
        "ciphers": challenge.ciphers,
    }


def sasl_response_token(given):
    return _parsed(SaslResponse, given, _show_sasl_response)


def sasl_challenge_token(given):
    return _parsed(SaslChallenge, given, _show_sasl_challenge)


# Layers


def _layer(given):
    return bytes.fromhex(given["session_key"]), given["direction"], given["layer"]


def sasl_wrap(given):
    key, direction, layer = _layer(given)
    sender = layers.Sender(key, direction, layer)
    steps = []
    for step in given["steps"]:
        if "sign" in step:
            steps.append({"signature": sender.sign(octets(step["sign"])).hex()})
        else:
            steps.append({"wrapped": sender.wrap(octets(step["wrap"])).hex()})
    sealing = None if layer == layers.INTEGRITY else layers.confidentiality_key(key, direction, layer).hex()
    keys = {"signing": layers.integrity_key(key, direction).hex(), "sealing": sealing}
    return {"status": OK, "keys": keys, "steps": steps}


def sasl_unwrap(given):
    receiver = layers.Receiver(*_layer(given))
    steps, first = [], OK
    for step in given["steps"]:
        if "verify" in step:
            outcome = receiver.verify(octets(step["verify"]), bytes.fromhex(step["signature"]))
            shown = {"status": _OF_LAYER[outcome]}
        else:
            outcome, message = receiver.unwrap(bytes.fromhex(step["unwrap"]))
            shown = {"status": _OF_LAYER[outcome]}
            if message is not None:
                shown["message"] = text_or_hex(message)
        if outcome == layers.DEAD:
            shown["accept"] = [MESSAGE_ALTERED]
        if first == OK:
            first = shown["status"]
        steps.append(shown)
    return {"status": first, "steps": steps}


# Extended protection


def channel_bindings_hash(given):
    try:
        return {"status": OK, "hash": bindings_hash(bytes.fromhex(given["buffer"])).hex()}
    except BindingsError:
        return {"status": INVALID_TOKEN}


def extended_protection(given):
    kind, service_name, channel_binding = presented(parse_response(octets(given["token"])))
    bad = kind == "inconsistent" or (kind == "missing" and given["policy"] == "required")
    if kind == "bound" and given["bindings"] is not None:
        bad = channel_binding != bindings_hash(bytes.fromhex(given["bindings"]))
    shown = {"status": BAD_BINDINGS if bad else OK, "presented": kind}
    if service_name is not None:
        shown["service_name"] = text_or_hex(service_name)
    return shown


def upgraded(given):
    binding, entropy = given["channel_binding"].encode("ascii"), bytes.fromhex(given["entropy"])
    return {
        "status": OK,
        "upgraded": is_upgraded_challenge(octets(given["nonce"])),
        "cnonce": upgraded_cnonce(octets(given["service_name"]), binding, entropy).decode("ascii"),
    }


OPERATIONS = {
    "http-session-key": http_session_key,
    "http-response": http_response,
    "http-rspauth": http_rspauth,
    "http-response-token": http_response_token,
    "http-challenge-token": http_challenge_token,
    "sasl-session-key": sasl_session_key_of,
    "sasl-response": sasl_response_of,
    "sasl-rspauth": sasl_rspauth_of,
    "sasl-response-token": sasl_response_token,
    "sasl-challenge-token": sasl_challenge_token,
    "sasl-wrap": sasl_wrap,
    "sasl-unwrap": sasl_unwrap,
    "channel-bindings": channel_bindings_hash,
    "extended-protection": extended_protection,
    "upgraded-cnonce": upgraded,
}
