"""Draws requests with their expected answers; the same seed draws the same ones.

Where the family of a header says what must come out, the generator insists on it: a `verify` that
disagrees with the maker's intention is a defect of this witness, and nothing is printed from there on.
"""

import random

from . import mutations, samples
from .charset import UTF_8, hash_form, utf8_form
from .directives import TOKEN_BYTES
from .formatting import token
from .hashes import h, h_a2, request_digest, session_key, user_hash
from .messages import CHALLENGE_REQUIRED, RESPONSE_REQUIRED
from .verify import answer


class IntentionMissed(Exception):
    """The witness contradicts itself."""


class Exchange:
    """The facts of one request: account, message, hashes."""

    def __init__(self, rng):
        self.charset_utf8 = rng.randrange(2) == 0
        self.username = samples.username(rng, self.charset_utf8)
        self.realm = samples.realm(rng, self.charset_utf8)
        self.password = samples.password(rng)
        self.method = rng.choice(samples.METHODS)
        self.uri = rng.choice(samples.URIS)
        self.nonce = samples.opaque_text(rng)
        self.cnonce = samples.opaque_text(rng)
        self.opaque = samples.opaque_text(rng)
        self.nc = samples.count(rng)
        self.qop = samples.any_case(rng, rng.choice((b"auth", b"auth", b"auth-int")))
        self.algorithm = rng.choice((None, "MD5", "MD5-sess", "MD5-sess"))
        self.entity = h(rng.choice(samples.ENTITY_BODIES))
        if rng.randrange(5) == 0:
            self.entity = self.entity.upper()
        self.form = rng.choice((hash_form, utf8_form))
        self.session = None
        if self.algorithm == "MD5-sess" and rng.randrange(3) == 0:
            self.session = (samples.opaque_text(rng), samples.opaque_text(rng))

    def is_auth_int(self):
        return self.qop is not None and self.qop.lower() == b"auth-int"

    def wire(self, text):
        return text.encode(UTF_8 if self.charset_utf8 else "iso-8859-1")

    def key(self, form):
        user = user_hash(self.username, self.realm, self.password, form)
        return session_key(self.algorithm, user, *(self.session or (self.nonce, self.cnonce)))

    def digest(self, method, form):
        a2 = h_a2(method, self.uri, self.qop, self.entity)
        return request_digest(self.key(form), self.nonce, self.nc, self.cnonce, self.qop, a2)

    def account(self):
        return {"username": self.username, "realm": self.realm, "password": self.password}

    def session_fields(self):
        if self.session is None:
            return {}
        return {"session_nonce": self.session[0].hex(), "session_cnonce": self.session[1].hex()}

    def entity_field(self, rng):
        """H(entity-body) where it is needed; elsewhere anything, as it must not matter."""
        if self.is_auth_int():
            return self.entity.hex()
        return rng.choice((None, self.entity.hex(), b"junk".hex(), ""))


def generate(seed, count):
    """`count` requests, each with `family` and `expected`."""
    rng = random.Random(seed)
    for _ in range(count):
        kind = rng.choices((_response, _challenge, _authentication_info), (14, 4, 3))[0]
        family, intention, request = kind(rng)
        expected = answer(request)
        if intention is not None and expected["verdict"] != intention:
            raise IntentionMissed(f"{family}: meant {intention}, judged {expected}: {request}")
        yield {**request, "family": family, "expected": expected}


# Responses


def _response_pairs(rng, exchange, digest):
    if rng.randrange(5) == 0:
        digest = digest.upper()
    pairs = [
        ("username", exchange.wire(exchange.username)),
        ("realm", exchange.wire(exchange.realm)),
        ("nonce", exchange.nonce),
        ("uri", exchange.uri),
        ("qop", exchange.qop),
        ("nc", exchange.nc),
        ("cnonce", exchange.cnonce),
        ("response", digest),
        ("opaque", exchange.opaque),
    ]
    if exchange.algorithm is not None:
        pairs.append(("algorithm", samples.any_case(rng, exchange.algorithm.encode("ascii"))))
    if exchange.charset_utf8:
        pairs.append(("charset", samples.any_case(rng, b"utf-8")))
    if rng.randrange(8) == 0:
        pairs.append(("hashed-dirs", b"service-name,channel-binding"))
        pairs.append(("service-name", b"HTTP/www.nowhere.org"))
        pairs.append(("channel-binding", b"0" * 32))
    return pairs


def _response(rng):
    exchange = Exchange(rng)
    digest = exchange.digest(exchange.method, exchange.form)
    pairs = _response_pairs(rng, exchange, digest)
    request = {
        "kind": "response",
        **exchange.account(),
        "method": exchange.method.hex(),
        "entity": exchange.entity_field(rng),
        **exchange.session_fields(),
    }
    weights = [weight for _, weight in _RESPONSE_FAMILIES]
    family = rng.choices([family for family, _ in _RESPONSE_FAMILIES], weights)[0]
    intention, octets = family(rng, exchange, pairs, request)
    request["token"] = octets.hex()
    return f"response/{family.__name__.strip('_')}", intention, request


_NOT_HTTP = ((b"authzid", b"admin"), (b"maxbuf", b"65536"), (b"cipher", b"rc4"), (b"digest-uri", b"http/host"))


def _well_formed(rng, _exchange, pairs, _request):
    if rng.randrange(8) == 0:
        pairs = pairs + [rng.choice(_NOT_HTTP) for _ in range(rng.randrange(1, 4))]
    return "right", token(rng, pairs)


def _wrong_digit(rng, _exchange, pairs, _request):
    digest = bytearray(dict(pairs)["response"])
    at = rng.randrange(32)
    digest[at] = rng.choice([o for o in b"0123456789abcdef" if o != bytes(digest[at : at + 1]).lower()[0]])
    return "differs", mutations.replaced(rng, pairs, "response", bytes(digest))


def _wrong_password(rng, exchange, pairs, request):
    request["password"] = exchange.password + rng.choice((" ", "x", "\u00e9", "\u20ac"))
    return "differs", token(rng, pairs)


def _wrong_method(rng, exchange, pairs, request):
    other = rng.choice([m for m in (*samples.METHODS, b"") if m != exchange.method])
    request["method"] = other.hex()
    return "differs", token(rng, pairs)


def _changed_value(rng, exchange, pairs, _request):
    """A hashed directive that is not the one that was hashed."""
    name = rng.choice(("uri", "nonce", "nc", "cnonce", "qop"))
    old = dict(pairs)[name]
    if name == "nc":
        new = rng.choice([n for n in (b"00000001", b"0000000a", b"0000000A") if n != old])
    elif name == "qop":
        if exchange.is_auth_int():
            new = b"auth"
        else:
            new = old.swapcase()
    else:
        new = old + b"x"
    return "differs", mutations.replaced(rng, pairs, name, new)


def _mixed_forms(rng, exchange, _pairs, request):
    """Neither form: one field in ISO 8859-1, another in UTF-8, where both would fit ISO 8859-1."""
    exchange.username = request["username"] = rng.choice(samples.LATIN_USERNAMES)
    exchange.password = request["password"] = rng.choice(samples.LATIN_PASSWORDS)

    def mixed(text):
        return utf8_form(text) if text == exchange.username else hash_form(text)

    return "differs", token(rng, _response_pairs(rng, exchange, exchange.digest(exchange.method, mixed)))


def _entity_not_there(rng, exchange, pairs, request):
    request["entity"] = rng.choice((None, ""))
    return ("entity-missing" if exchange.is_auth_int() else "right"), token(rng, pairs)


def _entity_malformed(rng, exchange, pairs, request):
    bad = rng.choice((exchange.entity[:-1], exchange.entity + b"0", b"g" + exchange.entity[1:], b" " * 32, b"\x00" * 16))
    request["entity"] = bad.hex()
    return ("entity-invalid" if exchange.is_auth_int() else "right"), token(rng, pairs)


def _entity_of_another_body(rng, exchange, pairs, request):
    request["entity"] = h(b"another body").hex()
    return ("differs" if exchange.is_auth_int() else "right"), token(rng, pairs)


def _directive_missing(rng, _exchange, pairs, _request):
    name = rng.choice(RESPONSE_REQUIRED)
    # Without charset=utf-8 every username decodes; with it, they were encoded so.
    return f"missing:{name}", mutations.without(rng, pairs, name)


def _several_missing(rng, _exchange, pairs, _request):
    kept = [pair for pair in pairs if rng.randrange(3)]
    absent = [name for name in RESPONSE_REQUIRED if name not in dict(kept)]
    # With charset gone, a username of UTF-8 octets is read as ISO 8859-1: another text, still one.
    return (f"missing:{absent[0]}" if absent else None), token(rng, kept)


def _directive_doubled(rng, _exchange, pairs, _request):
    name = rng.choice([name for name, _ in pairs])
    return f"repeated:{name}", mutations.doubled(rng, pairs, name)


BAD_VALUES = {
    "nc": (b"1", b"", b"0000001", b"000000001", b"0000000g", b"+0000001", b"00000001 ", b"0x000001", b"\xb2" * 8),
    "response": (b"", b"0" * 31, b"0" * 33, b"g" * 32, b" " + b"0" * 31, b"0" * 64),
    "qop": (b"", b"auth-conf", b"auth,auth-int", b"auth ", b"authint", b"\xc1uth"),
    "uri": (b"",),
    "algorithm": (b"", b"SHA-256", b"MD5-sess ", b"MD5,MD5-sess", b"md-5", b"MD5-\xc5\xbfess"),
    "charset": (b"", b"utf8", b"iso-8859-1", b"utf-8 ", b"utf-16"),
}


def _value_invalid(rng, _exchange, pairs, _request):
    names = [name for name in BAD_VALUES if name in dict(pairs)]
    name = rng.choice(names)
    return f"invalid:{name}", mutations.replaced(rng, pairs, name, rng.choice(BAD_VALUES[name]))


NOT_UTF_8 = (b"\xe9", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xff", b"ok \x80")


def _not_utf_8(rng, _exchange, pairs, _request):
    name = rng.choice(("username", "realm"))
    # The username is judged first, so it has to be good where the realm is meant.
    bad = {"username": b"Mufasa", name: rng.choice(NOT_UTF_8)}
    spoilt = [(key, bad.get(key, old)) for key, old in pairs if key != "charset"]
    spoilt.append(("charset", b"utf-8"))
    if rng.randrange(3) == 0:
        spoilt = [pair for pair in spoilt if pair[0] not in ("nonce", "cnonce")]
    return f"invalid:{name}", token(rng, spoilt)


def _broken_octets(rng, _exchange, pairs, _request):
    return None, rng.choice(mutations.ANY_OCTETS)(rng, token(rng, pairs))


def _value_and_syntax(rng, _exchange, pairs, _request):
    """An offence of the meaning and one of the syntax in the same token: the first from the left wins."""
    name = rng.choice(("nc", "response", "qop"))
    octets = mutations.replaced(rng, pairs, name, rng.choice(BAD_VALUES[name]))
    return None, rng.choice((mutations.truncated, mutations.with_control, mutations.edited))(rng, octets)


def _about_8192_octets(rng, _exchange, pairs, _request):
    octets = token(rng, pairs)
    length = rng.choice((TOKEN_BYTES - 1, TOKEN_BYTES, TOKEN_BYTES + 1, TOKEN_BYTES + 50))
    verdict = "right" if length <= TOKEN_BYTES else "syntax"
    return verdict, octets + b"," * (length - len(octets))


_RESPONSE_FAMILIES = (
    (_well_formed, 44),
    (_wrong_digit, 4),
    (_wrong_password, 4),
    (_wrong_method, 3),
    (_changed_value, 4),
    (_mixed_forms, 2),
    (_entity_not_there, 2),
    (_entity_malformed, 2),
    (_entity_of_another_body, 2),
    (_directive_missing, 4),
    (_several_missing, 2),
    (_directive_doubled, 4),
    (_value_invalid, 6),
    (_not_utf_8, 3),
    (_broken_octets, 20),
    (_value_and_syntax, 3),
    (_about_8192_octets, 1),
)


# Challenges

_QOP_OFFERS = (
    b"auth",
    b"auth-int",
    b"auth,auth-int",
    b"auth, auth-int",
    b" auth ,\tauth-int,, ",
    b"AUTH",
    b"auth-conf",
    b"auth,auth-conf,token",
    b"auth\r\n ,auth-int",
    b"auth auth-int",
    b",,token",
)
_ALGORITHMS = (b"MD5", b"md5", b"MD5-sess", b"md5-SESS", b"SHA-256", b"", b"MD5 ", b"token")
_STALE = (b"true", b"TRUE", b"True", b"false", b"FALSE", b"yes", b"", b"true ")


def _challenge_pairs(rng):
    utf8 = rng.randrange(2) == 0
    realm = samples.realm(rng, utf8)
    pairs = [("realm", realm.encode(UTF_8 if utf8 else "iso-8859-1")), ("nonce", samples.opaque_text(rng))]
    for name, values in (("qop", _QOP_OFFERS), ("algorithm", _ALGORITHMS), ("stale", _STALE)):
        if rng.randrange(3):
            pairs.append((name, rng.choice(values)))
    if rng.randrange(3):
        pairs.append(("opaque", samples.opaque_text(rng)))
    if rng.randrange(4) == 0:
        pairs.append(("domain", b"/ http://www.nowhere.org/"))
    if utf8:
        pairs.append(("charset", samples.any_case(rng, b"utf-8")))
    return pairs


def _challenge(rng):
    pairs = _challenge_pairs(rng)
    family, intention, octets = _challenge_token(rng, pairs)
    return f"challenge/{family}", intention, {"kind": "challenge", "token": octets.hex()}


def _challenge_token(rng, pairs):
    choice = rng.randrange(20)
    if choice < 10:
        return "well_formed", "ok", token(rng, pairs)
    if choice == 10:
        name = rng.choice(CHALLENGE_REQUIRED)
        return "directive_missing", f"missing:{name}", mutations.without(rng, pairs, name)
    if choice == 11:
        name = rng.choice([name for name, _ in pairs])
        return "directive_doubled", f"repeated:{name}", mutations.doubled(rng, pairs, name)
    if choice == 12:
        pairs = [pair for pair in pairs if pair[0] != "qop"] + [("qop", rng.choice((b"", b" ", b",", b" ,\t, ")))]
        return "qop_empty", "invalid:qop", token(rng, pairs)
    if choice == 13:
        pairs = [pair for pair in pairs if pair[0] != "charset"] + [("charset", rng.choice(BAD_VALUES["charset"]))]
        return "charset_invalid", "invalid:charset", token(rng, pairs)
    if choice == 14:
        pairs = [("realm", rng.choice(NOT_UTF_8)), ("charset", b"utf-8")] + ([("nonce", b"n")] if rng.randrange(2) else [])
        return "realm_not_utf_8", "invalid:realm", token(rng, pairs)
    if choice == 15:
        padding = rng.randrange(2040, 2056) - len(octets := token(rng, pairs))
        return "about_2048_octets", None, octets + b"," * max(padding, 0)
    return "broken_octets", None, rng.choice(mutations.ANY_OCTETS)(rng, token(rng, pairs))


# Authentication-Info


def _authentication_info(rng):
    exchange = Exchange(rng)
    if rng.randrange(8) == 0:
        exchange.qop = None
    request = {
        "kind": "authentication-info",
        **exchange.account(),
        "nonce": exchange.nonce.hex(),
        "cnonce": exchange.cnonce.hex(),
        "nc": exchange.nc.hex(),
        "uri": exchange.uri.hex(),
        "qop": None if exchange.qop is None else exchange.qop.hex(),
        "algorithm": exchange.algorithm,
        "entity": exchange.entity_field(rng),
        **exchange.session_fields(),
    }
    proof = exchange.digest(b"", hash_form)
    pairs = [("rspauth", proof.upper() if rng.randrange(5) == 0 else proof)]
    if rng.randrange(4):
        pairs += [("cnonce", exchange.cnonce), ("nc", exchange.nc)]
    if exchange.qop is not None and rng.randrange(4):
        pairs.append(("qop", exchange.qop))
    if rng.randrange(3) == 0:
        pairs.append(("nextnonce", samples.opaque_text(rng)))
    family, intention, octets = _authentication_info_token(rng, exchange, pairs, request)
    request["token"] = octets.hex()
    return f"authentication-info/{family}", intention, request


def _authentication_info_token(rng, exchange, pairs, request):
    choice = rng.randrange(16)
    if choice < 7:
        return "well_formed", "right", token(rng, pairs)
    if choice == 7:
        request["uri"] = (exchange.uri + b"x").hex()
        return "wrong_uri", "differs", token(rng, pairs)
    if choice == 8:
        # A proof made with a method is the client's own response, not the server's proof.
        return "reflected", "differs", mutations.replaced(rng, pairs, "rspauth", exchange.digest(b"GET", hash_form))
    if choice == 9:
        return "no_proof", "missing:rspauth", mutations.without(rng, pairs, "rspauth")
    if choice == 10:
        bad = rng.choice(BAD_VALUES["response"])
        return "proof_invalid", "invalid:rspauth", mutations.replaced(rng, pairs, "rspauth", bad)
    if choice == 11:
        name = rng.choice([name for name, _ in pairs])
        return "directive_doubled", f"repeated:{name}", mutations.doubled(rng, pairs, name)
    if choice == 12:
        request["entity"] = None
        return "entity_not_there", "entity-missing" if exchange.is_auth_int() else "right", token(rng, pairs)
    return "broken_octets", None, rng.choice(mutations.ANY_OCTETS)(rng, token(rng, pairs))
