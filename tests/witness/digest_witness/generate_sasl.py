"""Draws requests about SASL, layers and bindings with their expected answers; the same seed draws the same ones.

As in `generate`, a family that determines the verdict is held to it.
"""

import random
import struct

from . import mutations, samples
from .bindings import NO_CHANNEL, UPGRADED, upgraded_cnonce
from .charset import UTF_8, hash_form, utf8_form
from .directives import TOKEN_BYTES
from .formatting import token
from .generate import BAD_VALUES, NOT_UTF_8, IntentionMissed
from .hashes import h
from .layers import CIPHERS, DIRECTIONS, INTEGRITY, Sender
from .sasl_hashes import sasl_response, sasl_rspauth, sasl_session_key, sasl_user_hash
from .sasl_messages import SASL_RESPONSE_REQUIRED
from .verify import answer

DIGEST_URIS = (
    b"imap/elwood.innosoft.com",
    b"smtp/mail3.example.com/example.com",
    b"ldap/dc.example.com/example.com/",
    b"HTTP/host:8080",
    b"x/y",
    b'say/"host"',
    b"a/b\\c",
    b"caf\xc3\xa9/h",
    b"x/ ",
)
_BAD_DIGEST_URIS = (b"", b"/", b"imap", b"imap/", b"/host", b"//", b"imap\\host")
_MAXBUFS = (b"17", b"1024", b"65536", b"16777215", b"0000000000000000000000000017", b"00065536")
_BAD_MAXBUFS = (b"", b"0", b"16", b"16777216", b"-17", b"+17", b"17 ", b"0x20", b"4294967313", b"18446744073709551633",
                b"9" * 40, b"1e3", b"\xb2\xb3", b"000016")  # fmt: skip
_AUTHZIDS = ("admin", "chris", "J\u00e4s\u00f8n", "\u0416\u0438\u0432\u0430\u0433\u043e", 'a "b" \\ c', " ")
_CIPHER_NAMES = tuple(cipher.encode("ascii") for cipher in CIPHERS)
_QOPS = (b"auth", b"auth-int", b"auth-conf")
_NOT_SASL = (
    (b"opaque", b"5ccc069c403ebaf9f0171e9517f40e41"),
    (b"algorithm", b"md5-sess"),
    (b"uri", b"/"),
    (b"hashed-dirs", b"x"),
)
_BAD = {
    "nc": BAD_VALUES["nc"],
    "response": BAD_VALUES["response"],
    "charset": BAD_VALUES["charset"],
    "qop": (b"", b"auth,auth-int", b"auth ", b"authconf", b"auth-conf-int", b"token"),
    "digest-uri": _BAD_DIGEST_URIS,
    "maxbuf": _BAD_MAXBUFS,
    "cipher": (b"", b"aes", b"rc4,des", b"rc4 ", b"rc4-128", b"3DES\xff", b"des3"),
    "authzid": (b"", b"\xe9", b"\xc0\x80", b"ok\xff", b"\xed\xa0\x80"),
}


class SaslExchange:
    """The facts of one SASL authentication."""

    def __init__(self, rng):
        self.charset_utf8 = rng.randrange(2) == 0
        self.username = samples.username(rng, self.charset_utf8)
        self.realm = rng.choice(("", samples.realm(rng, self.charset_utf8)))
        self.password = samples.password(rng)
        self.nonce = samples.opaque_text(rng)
        self.cnonce = samples.opaque_text(rng)
        self.nc = samples.count(rng)
        self.qop = rng.choice((None, *_QOPS, b"auth-conf"))
        self.qop = self.qop and samples.any_case(rng, self.qop)
        self.cipher = samples.any_case(rng, rng.choice(_CIPHER_NAMES))
        self.digest_uri = rng.choice(DIGEST_URIS)
        self.authzid = rng.choice(_AUTHZIDS).encode(UTF_8) if rng.randrange(3) == 0 else None

    def wire(self, text):
        return text.encode(UTF_8 if self.charset_utf8 else "iso-8859-1")

    def account(self):
        return {"username": self.username, "realm": self.realm, "password": self.password}

    def key(self, form=hash_form):
        user = sasl_user_hash(self.username, self.realm, self.password, form)
        return sasl_session_key(user, self.nonce, self.cnonce, self.authzid)

    def hashed(self):
        return self.nonce, self.nc, self.cnonce, self.qop or b"auth", self.digest_uri

    def pairs(self, rng, form=hash_form):
        digest = sasl_response(self.key(form), *self.hashed())
        pairs = [("username", self.wire(self.username))]
        if self.realm or rng.randrange(2):
            pairs.append(("realm", self.wire(self.realm)))
        pairs += [("nonce", self.nonce), ("cnonce", self.cnonce), ("nc", self.nc)]
        if self.qop is not None:
            pairs.append(("qop", self.qop))
        if (self.qop or b"").lower() == b"auth-conf" or rng.randrange(6) == 0:
            pairs.append(("cipher", self.cipher))
        pairs += [("digest-uri", self.digest_uri), ("response", digest.upper() if rng.randrange(5) == 0 else digest)]
        if rng.randrange(3) == 0:
            pairs.append(("maxbuf", rng.choice(_MAXBUFS)))
        if self.charset_utf8:
            pairs.append(("charset", samples.any_case(rng, b"utf-8")))
        if self.authzid is not None:
            pairs.append(("authzid", self.authzid))
        return pairs


def generate_sasl(seed, count):
    """`count` SASL messages, each with `family` and `expected`."""
    return _generate(seed, count, (_response, _challenge, _rspauth), (14, 5, 2))


def generate_layers(seed, count):
    """`count` scripts of messages in one direction."""
    return _generate(seed, count, (_script,), (1,))


def generate_bindings(seed, count):
    """`count` requests about extended protection."""
    return _generate(seed, count, (_structure, _presented, _upgraded), (3, 4, 1))


def _generate(seed, count, kinds, weights):
    rng = random.Random(seed)
    for _ in range(count):
        family, intention, request = rng.choices(kinds, weights)[0](rng)
        expected = answer(request)
        if intention is not None and expected["verdict"] != intention:
            raise IntentionMissed(f"{family}: meant {intention}, judged {expected}: {request}")
        yield {**request, "family": family, "expected": expected}


# Responses


def _response(rng):
    exchange = SaslExchange(rng)
    request = {"kind": "sasl-response", **exchange.account()}
    weights = [weight for _, weight in _RESPONSE_FAMILIES]
    family = rng.choices([family for family, _ in _RESPONSE_FAMILIES], weights)[0]
    intention, octets = family(rng, exchange, exchange.pairs(rng), request)
    request["token"] = octets.hex()
    return f"sasl-response/{family.__name__.strip('_')}", intention, request


def _well_formed(rng, _exchange, pairs, _request):
    if rng.randrange(5) == 0:
        pairs = pairs + [rng.choice(_NOT_SASL) for _ in range(rng.randrange(1, 4))]
    return "right", token(rng, pairs)


def _wrong_password(rng, exchange, pairs, request):
    request["password"] = exchange.password + rng.choice((" ", "x", "\u00e9", "\u20ac"))
    return "differs", token(rng, pairs)


def _all_utf_8(rng, exchange, _pairs, request):
    """The form of RFC 7616 is HTTP's; RFC 2831 converts what ISO 8859-1 can say."""
    exchange.username = request["username"] = rng.choice(samples.LATIN_USERNAMES)
    return "differs", token(rng, exchange.pairs(rng, utf8_form))


def _changed_value(rng, exchange, pairs, _request):
    name = rng.choice(("nonce", "cnonce", "digest-uri", "nc", "qop", "authzid"))
    changed = dict(pairs)
    if name == "nc":
        changed[name] = b"0000000b" if exchange.nc != b"0000000b" else b"0000000c"
    elif name == "qop":
        qop = (exchange.qop or b"auth").lower()
        changed[name] = {b"auth": b"auth-int", b"auth-int": b"auth", b"auth-conf": b"auth-int"}[qop]
    else:
        changed[name] = changed.get(name, b"") + b"x"
    return "differs", token(rng, list(changed.items()))


def _directive_missing(rng, _exchange, pairs, _request):
    name = rng.choice(SASL_RESPONSE_REQUIRED)
    return f"missing:{name}", mutations.without(rng, pairs, name)


def _several_missing(rng, _exchange, pairs, _request):
    kept = [pair for pair in pairs if rng.randrange(3)]
    absent = [name for name in SASL_RESPONSE_REQUIRED if name not in dict(kept)]
    return (f"missing:{absent[0]}" if absent else None), token(rng, kept)


def _cipher_missing(rng, _exchange, pairs, _request):
    kept = [pair for pair in pairs if pair[0] not in ("cipher", "qop")]
    return "missing:cipher", token(rng, [*kept, ("qop", samples.any_case(rng, b"auth-conf"))])


def _directive_doubled(rng, _exchange, pairs, _request):
    name, value = rng.choice(pairs)
    return f"repeated:{name}", token(rng, [*pairs, (name, value)])


def _value_invalid(rng, _exchange, pairs, _request):
    name = rng.choice(list(_BAD))
    bad = (name, rng.choice(_BAD[name]))
    if name in dict(pairs):
        return f"invalid:{name}", mutations.replaced(rng, pairs, *bad)
    return f"invalid:{name}", token(rng, [*pairs, bad])


def _not_utf_8(rng, _exchange, pairs, _request):
    name = rng.choice(("username", "realm"))
    bad = {"username": b"chris", "realm": b"r", name: rng.choice(NOT_UTF_8)}
    spoilt = [(key, old) for key, old in pairs if key not in ("charset", "username", "realm")]
    return f"invalid:{name}", token(rng, [*spoilt, *bad.items(), ("charset", b"utf-8")])


def _broken_octets(rng, _exchange, pairs, _request):
    return None, rng.choice(mutations.ANY_OCTETS)(rng, token(rng, pairs))


def _value_and_syntax(rng, _exchange, pairs, _request):
    name = rng.choice(("nc", "response", "digest-uri"))
    octets = mutations.replaced(rng, pairs, name, rng.choice(_BAD[name]))
    return None, rng.choice((mutations.truncated, mutations.with_control, mutations.edited))(rng, octets)


def _about_8192_octets(rng, _exchange, pairs, _request):
    octets = token(rng, pairs)
    length = rng.choice((4095, 4096, TOKEN_BYTES, TOKEN_BYTES + 1))
    return ("right" if length <= TOKEN_BYTES else "syntax"), octets + b"," * (length - len(octets))


_RESPONSE_FAMILIES = (
    (_well_formed, 44),
    (_wrong_password, 4),
    (_all_utf_8, 2),
    (_changed_value, 6),
    (_directive_missing, 4),
    (_several_missing, 2),
    (_cipher_missing, 2),
    (_directive_doubled, 4),
    (_value_invalid, 9),
    (_not_utf_8, 3),
    (_broken_octets, 20),
    (_value_and_syntax, 3),
    (_about_8192_octets, 1),
)


# Challenges

_QOP_LISTS = (b"auth", b"auth-int", b"auth-conf", b"auth,auth-int,auth-conf", b" auth, AUTH-conf ", b"token", b"auth,,token",
              b"auth-int auth-conf", b"auth\r\n ,auth-int")  # fmt: skip
_CIPHER_LISTS = (b"rc4", b"3des,des", b"rc4-40,rc4-56,rc4,des,3des", b"aes", b"aes, RC4-56 ", b",,des,,", b"DES 3DES")
_ALGORITHMS = (b"md5-sess", b"md5-sess", b"MD5-Sess", b"md5", b"SHA-256", b"", b"md5-sess ")
_STALE = (b"true", b"TRUE", b"false", b"yes", b"", b"true ")
_NOT_IN_CHALLENGE = ((b"opaque", b"x"), (b"domain", b"/"), (b"realms", b"r"), (b"digest-uri", b"a/b"))


def _challenge_pairs(rng):
    utf8 = rng.randrange(2) == 0
    pairs = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        pairs.append(("realm", samples.realm(rng, utf8).encode(UTF_8 if utf8 else "iso-8859-1")))
    pairs += [("nonce", samples.opaque_text(rng)), ("algorithm", rng.choice(_ALGORITHMS))]
    for name, values in (("qop", _QOP_LISTS), ("cipher", _CIPHER_LISTS), ("maxbuf", _MAXBUFS), ("stale", _STALE)):
        if rng.randrange(2):
            pairs.append((name, rng.choice(values)))
    if utf8:
        pairs.append(("charset", samples.any_case(rng, b"utf-8")))
    if rng.randrange(4) == 0:
        pairs += [rng.choice(_NOT_IN_CHALLENGE) for _ in range(rng.randrange(1, 4))]
    return pairs


def _challenge(rng):
    pairs = _challenge_pairs(rng)
    family, intention, octets = _challenge_token(rng, pairs)
    return f"sasl-challenge/{family}", intention, {"kind": "sasl-challenge", "token": octets.hex()}


def _challenge_token(rng, pairs):
    choice = rng.randrange(20)
    known = [name for name, _ in pairs if isinstance(name, str)]
    if choice < 10:
        return "well_formed", "ok", token(rng, pairs)
    if choice == 10:
        name = rng.choice(("nonce", "algorithm"))
        return "directive_missing", f"missing:{name}", mutations.without(rng, pairs, name)
    if choice == 11:
        name = rng.choice([name for name in known if name != "realm"])
        return "directive_doubled", f"repeated:{name}", token(rng, [*pairs, (name, dict(pairs)[name])])
    if choice in (12, 13):
        name = rng.choice(("qop", "cipher", "maxbuf", "charset"))
        empty = (b"", b" ", b",", b" ,\t, ")
        bad = {"maxbuf": _BAD_MAXBUFS, "charset": BAD_VALUES["charset"]}.get(name, empty)
        kept = [pair for pair in pairs if pair[0] != name]
        return "value_invalid", f"invalid:{name}", token(rng, [*kept, (name, rng.choice(bad))])
    if choice == 14:
        kept = [pair for pair in pairs if pair[0] not in ("realm", "charset")]
        realms = [("realm", b"r")] * rng.randrange(3) + [("realm", rng.choice(NOT_UTF_8))]
        kept = [pair for pair in kept if rng.randrange(4)]
        return "realm_not_utf_8", "invalid:realm", token(rng, [*realms, *kept, ("charset", b"utf-8")])
    if choice == 15:
        padding = rng.randrange(2040, 2056) - len(octets := token(rng, pairs))
        return "about_2048_octets", None, octets + b"," * max(padding, 0)
    return "broken_octets", None, rng.choice(mutations.ANY_OCTETS)(rng, token(rng, pairs))


# The server's proof


def _rspauth(rng):
    exchange = SaslExchange(rng)
    nonce, nc, cnonce, qop, digest_uri = exchange.hashed()
    request = {
        "kind": "sasl-rspauth",
        **exchange.account(),
        "nonce": nonce.hex(),
        "nc": nc.hex(),
        "cnonce": cnonce.hex(),
        "qop": qop.hex(),
        "digest_uri": digest_uri.hex(),
        "authzid": exchange.authzid and exchange.authzid.hex(),
    }
    proof = sasl_rspauth(exchange.key(), *exchange.hashed())
    family, intention, octets = _rspauth_token(rng, exchange, proof)
    request["token"] = octets.hex()
    return f"sasl-rspauth/{family}", intention, request


def _rspauth_token(rng, exchange, proof):
    choice = rng.randrange(10)
    if choice < 4:
        return "well_formed", "right", token(rng, [("rspauth", proof.upper() if choice == 0 else proof)])
    if choice == 4:
        return "reflected", "differs", b"rspauth=" + sasl_response(exchange.key(), *exchange.hashed())
    if choice == 5:
        return "no_proof", "missing:rspauth", rng.choice((b"", b"x=1", b"nonce=n,algorithm=md5-sess"))
    if choice == 6:
        bad = rng.choice(BAD_VALUES["response"])
        return "proof_invalid", "invalid:rspauth", token(rng, [("rspauth", bad)])
    if choice == 7:
        return "doubled", "repeated:rspauth", token(rng, [("rspauth", proof)] * 2)
    return "broken_octets", None, rng.choice(mutations.ANY_OCTETS)(rng, token(rng, [("rspauth", proof)]))


# Layers


def _altered(rng, octets):
    octets = bytearray(octets)
    choice = rng.randrange(6)
    if choice == 0 or not octets:
        return bytes(octets) + samples.octets(rng, range(256), rng.randrange(1, 10))
    if choice == 1:
        return bytes(octets[: rng.randrange(len(octets))])
    if choice == 2:
        return bytes(octets[rng.randrange(1, len(octets) + 1) :])
    at = rng.choice((rng.randrange(len(octets)), max(len(octets) - rng.randrange(1, 18), 0)))
    octets[at] ^= 1 << rng.randrange(8)
    return bytes(octets)


def _script(rng):
    """A few messages, most of them delivered as sent, some altered, lost, repeated or out of order."""
    layer = rng.choice((INTEGRITY, *CIPHERS))
    direction = rng.choice(DIRECTIONS)
    key = samples.octets(rng, range(256), 16)
    sender = Sender(key, direction, layer)
    script, earlier = [], []
    trouble = rng.randrange(3) > 0
    for _ in range(rng.randrange(1, 7)):
        message = samples.octets(rng, range(256), rng.choice((0, 1, 6, 7, 8, 13, 14, 15, 16, rng.randrange(120))))
        if rng.randrange(4) == 0:
            script.append({"do": "sign", "message": message.hex()})
            delivery = {"do": "verify", "message": message.hex(), "signature": sender.sign(message).hex()}
        else:
            script.append({"do": "wrap", "message": message.hex()})
            delivery = {"do": "unwrap", "wrapped": sender.wrap(message).hex()}
        fate = rng.randrange(12) if trouble else 11
        if fate == 0:
            continue
        if fate == 1 and earlier:
            script.append(rng.choice(earlier))
        if fate in (2, 3):
            field = rng.choice([name for name in delivery if name != "do"])
            script.append({**delivery, field: _altered(rng, bytes.fromhex(delivery[field])).hex()})
        if fate == 4:
            # A message whose MAC is right, but not its place: of another sender with the same key.
            other = Sender(key, direction, layer)
            other.number = rng.choice((0, 1, 7, 0xFFFFFFFF))
            script.append({"do": "unwrap", "wrapped": other.wrap(message).hex()})
        script.append(delivery)
        earlier.append(delivery)
    request = {"kind": "sasl-layer", "session_key": key.hex(), "direction": direction, "layer": layer, "script": script}
    return f"sasl-layer/{layer}", "ok", request


# Extended protection


def channel_bindings(initiator, acceptor, application_data, gap=b""):
    """A SEC_CHANNEL_BINDINGS structure; `gap` lies unused behind the header."""
    (initiator_type, initiator_address), (acceptor_type, acceptor_address) = initiator, acceptor
    data, offsets = gap, []
    for part in (initiator_address, acceptor_address, application_data):
        offsets.append(32 + len(data))
        data += part
    fields = (initiator_type, len(initiator_address), offsets[0], acceptor_type, len(acceptor_address), offsets[1])
    return struct.pack("<8I", *fields, len(application_data), offsets[2]) + data


def _structure(rng):
    def address():
        kind = rng.choice((0, 0, 2, 23, 0xFFFFFFFF))
        return kind, samples.octets(rng, range(256), rng.choice((0, 0, 4, 16)))

    data = rng.choice((b"", b"tls-server-end-point:" + samples.octets(rng, range(256), 32), b"tls-unique:" + b"x" * 12))
    buffer = channel_bindings(address(), address(), data, samples.octets(rng, range(256), rng.choice((0, 0, 3))))
    choice = rng.randrange(6)
    if choice < 3:
        return "channel-bindings/good", "ok", {"kind": "channel-bindings", "buffer": buffer.hex()}
    broken = bytearray(buffer)
    if choice == 3:
        del broken[rng.randrange(len(broken)) :]
    elif choice == 4:
        at = 4 * rng.randrange(8)
        edge = rng.choice((0, 31, len(broken), len(broken) + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFE0))
        broken[at : at + 4] = edge.to_bytes(4, "little")
    else:
        broken[rng.randrange(min(len(broken), 32))] ^= 1 << rng.randrange(8)
    return "channel-bindings/broken", None, {"kind": "channel-bindings", "buffer": broken.hex()}


_HASHED_DIRS = (
    (b"service-name,channel-binding", True),
    (b"channel-binding, service-name", True),
    (b"Service-Name,x,CHANNEL-BINDING", True),
    (b"service-name,,channel-binding,", True),
    (b"service-name", False),
    (b"channel-binding,nonce", False),
    (b"", False),
    (b"service-name;channel-binding", False),
)


def _presented(rng):
    """A response of HTTP with some of what extended protection adds to it."""
    service_name = rng.choice((b"HTTP/www.nowhere.org", b"", b'HTTP/"odd"', b"caf\xc3\xa9/\\"))
    channel_binding = rng.choice((NO_CHANNEL, h(b"channel"), h(b"channel").upper()))
    hashed_dirs, listed = rng.choice(_HASHED_DIRS + _HASHED_DIRS[:3] * 2)
    cnonce = upgraded_cnonce(service_name, channel_binding, samples.octets(rng, range(256), 16))
    intention = "bound" if listed else "inconsistent"
    extra = {"hashed-dirs": hashed_dirs, "service-name": service_name, "channel-binding": channel_binding}
    spoil = rng.randrange(14)
    if spoil == 0:
        extra, cnonce, intention = {}, samples.octets(rng, b"0123456789abcdef", 32), "missing"
    elif spoil == 1:
        extra, intention = {}, "inconsistent"
    elif spoil == 2:
        del extra[rng.choice(list(extra))]
        intention = "inconsistent"
    elif spoil == 3:
        name = rng.choice(("service-name", "channel-binding"))
        extra[name] = {"service-name": service_name + b"x", "channel-binding": h(b"another")}[name]
        intention = "inconsistent"
    elif spoil == 4:
        bad = rng.choice((b"", channel_binding[1:], channel_binding + b"0", b"g" * 32))
        extra["channel-binding"], cnonce = bad, upgraded_cnonce(service_name, bad, bytes(16))
        intention = "inconsistent"
    elif spoil == 5:
        cnonce, intention = rng.choice((cnonce[:44], cnonce[1:], cnonce.lower(), b"", UPGRADED, b"c")), "inconsistent"
    elif spoil == 6:
        cnonce = UPGRADED + rng.choice((cnonce[12:44].upper() + b"x", cnonce[12:45]))
    pairs = [("username", b"Mufasa"), ("realm", b"r"), ("nonce", b"+Upgraded+v1abc"), ("uri", b"/"), ("qop", b"auth")]
    pairs += [("nc", b"00000001"), ("cnonce", cnonce), ("response", b"0" * 32), ("opaque", b"o"), *extra.items()]
    return "presented", intention, {"kind": "presented", "token": token(rng, pairs).hex()}


def _upgraded(rng):
    nonce = rng.choice((b"+Upgraded+v1", b"+Upgraded+v2", b"+Upgraded+", b"+upgraded+v1", b"Upgraded+", b"", b"+Upgraded"))
    request = {
        "kind": "upgraded",
        "nonce": (nonce + samples.octets(rng, b"0123456789abcdef", rng.randrange(8))).hex(),
        "service_name": rng.choice((b"", b"HTTP/www.nowhere.org")).hex(),
        "channel_binding": rng.choice((NO_CHANNEL, h(samples.octets(rng, range(256), 8)))).hex(),
        "entropy": samples.octets(rng, range(256), 16).hex(),
    }
    return "upgraded", "ok", request
