"""SASL, layers and channel bindings of the witness against published vectors, and rule by rule."""

import os
import sys
import unittest
from hashlib import md5

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from digest_witness.bindings import UPGRADED, upgraded_cnonce  # noqa: E402
from digest_witness.ciphers import Cbc, Des, Rc4, TripleDes, des_key  # noqa: E402
from digest_witness.generate_sasl import generate_bindings, generate_layers, generate_sasl  # noqa: E402
from digest_witness.layers import CIPHERS, DIRECTIONS, INTEGRITY, Receiver, Sender  # noqa: E402
from digest_witness.verify import answer  # noqa: E402

# RFC 2831 section 4
RFC_2831_CHALLENGE = (
    b'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8'
)
RFC_2831_IMAP = (
    b'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,'
    b'cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",'
    b"response=d388dad90d4bbd760a152321f2143af7,qop=auth"
)
RFC_2831_ACAP = (
    b'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA9BSXrbuRhWay",nc=00000001,'
    b'cnonce="OA9BSuZWMSpW8m",digest-uri="acap/elwood.innosoft.com",'
    b"response=6084c6db3fede7352c551284490fd0fc,qop=auth"
)
ACCOUNT = {"username": "chris", "realm": "elwood.innosoft.com", "password": "secret"}


def response(token, **changes):
    return answer({"kind": "sasl-response", "token": token.hex(), **ACCOUNT, **changes})


def challenge(token):
    return answer({"kind": "sasl-challenge", "token": token.hex()})


def whole(**changes):
    values = {
        "username": b'"chris"',
        "realm": b'"r"',
        "nonce": b"n",
        "cnonce": b"c",
        "nc": b"00000001",
        "digest-uri": b'"imap/host"',
        "response": b"0" * 32,
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return b",".join(name.encode() + b"=" + value for name, value in values.items() if value is not None)


class Published(unittest.TestCase):
    def test_rfc_2831(self):
        for token, proof in (
            (RFC_2831_IMAP, "ea40f60335c427b5527b84dbabcdfffd"),
            (RFC_2831_ACAP, "2f0b3d7c3c2e486600ef710726aa2eae"),
        ):
            judged = response(token)
            self.assertEqual((judged["verdict"], judged["rspauth"]), ("right", proof))
            fields = judged["fields"]
            request = {"kind": "sasl-rspauth", "token": b"rspauth=".hex() + proof.encode().hex(), **ACCOUNT}
            request |= {"nonce": fields["nonce"], "cnonce": fields["cnonce"], "nc": fields["nc"]}
            request |= {"qop": fields["qop_text"], "digest_uri": fields["digest-uri"]}
            self.assertEqual(answer(request)["verdict"], "right")
            request["token"] = (b'rspauth="' + proof.encode() + b'"').hex()
            self.assertEqual(answer(request)["verdict"], "right")
            request["token"] = (b"rspauth=" + fields["response"].encode()).hex()
            self.assertEqual(answer(request)["verdict"], "differs")

    def test_rfc_2831_challenge(self):
        fields = challenge(RFC_2831_CHALLENGE)["fields"]
        self.assertEqual([bytes.fromhex(realm) for realm in fields["realms"]], [b"elwood.innosoft.com"])
        self.assertEqual(fields["qop"], {"auth": True, "auth-int": False, "auth-conf": False, "others": False})
        self.assertEqual((fields["algorithm"], fields["charset"], fields["maxbuf"]), ("md5-sess", "utf-8", 65536))

    def test_rfc_6229(self):
        """RC4 with 40, 56 and 128 bits; offsets 0, 16 and 240."""
        for key, at, stream in (
            ("0102030405", 0, "b2396305f03dc027ccc3524a0a1118a8 6982944f18fc82d589c403a47a0d0919"),
            ("0102030405", 240, "28cb1132c96ce286421dcaadb8b69eae"),
            ("01020304050607", 0, "293f02d47f37c9b633f2af5285feb46b e620f1390d19bd84e2e0fd752031afc1"),
            ("0102030405060708090a0b0c0d0e0f10", 0, "9ac7cc9a609d1ef7b2932899cde41b97 5248c4959014126a6e8a84f11d1a9e1c"),
        ):
            expected = bytes.fromhex(stream)
            cipher = Rc4(bytes.fromhex(key))
            cipher.apply(bytes(at))
            self.assertEqual(cipher.apply(bytes(len(expected))), expected, key)

    def test_fips_81(self):
        """ECB (table B1) and CBC (table C1)."""
        key, text = bytes.fromhex("0123456789abcdef"), b"Now is the time for all "
        ecb = bytes.fromhex("3fa40e8a984d4815 6a271787ab8883f9 893d51ec4b563b53")
        blocks = b"".join(Des(key).encrypt_block(text[at : at + 8]) for at in range(0, 24, 8))
        self.assertEqual(blocks, ecb)
        cbc = bytes.fromhex("e5c7cdde872bf27c 43e934008c389c0f 683788499a7c05f6")
        vector = bytes.fromhex("1234567890abcdef")
        self.assertEqual(Cbc(Des(key), vector).encrypt(text), cbc)
        self.assertEqual(Cbc(Des(key), vector).decrypt(cbc), text)
        chained = Cbc(Des(key), vector)
        self.assertEqual(chained.encrypt(text[:8]) + chained.encrypt(text[8:]), cbc)

    def test_nist_500_20(self):
        """Known answers of the validation of DES: variable plaintext, variable key, permutation, substitution."""
        for key, plain, cipher in (
            ("0101010101010101", "8000000000000000", "95f8a5e5dd31d900"),
            ("0101010101010101", "0000000000000001", "166b40b44aba4bd6"),
            ("8001010101010101", "0000000000000000", "95a8d72813daa94d"),
            ("1046913489980131", "0000000000000000", "88d55e54f54c97b4"),
            ("7ca110454a1a6e57", "01a1d6d039776742", "690f5b0d9a26939b"),
            ("0131d9619dc1376e", "5cd54ca83def57da", "7a389d10354bd271"),
        ):
            des = Des(bytes.fromhex(key))
            self.assertEqual(des.encrypt_block(bytes.fromhex(plain)).hex(), cipher, key)
            self.assertEqual(des.decrypt_block(bytes.fromhex(cipher)).hex(), plain, key)

    def test_sp_800_67(self):
        """The example of Triple DES with three keys."""
        keys = ("0123456789abcdef", "23456789abcdef01", "456789abcdef0123")
        cipher = TripleDes(*map(bytes.fromhex, keys))
        text = b"The qufck brown fox jump"
        blocks = b"".join(cipher.encrypt_block(text[at : at + 8]) for at in range(0, 24, 8))
        self.assertEqual(blocks.hex(), "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900")
        self.assertEqual(cipher.decrypt_block(blocks[:8]), text[:8])

    def test_a_key_of_56_bits_gets_its_parity(self):
        self.assertEqual(des_key(bytes(7)), b"\x01" * 8)
        self.assertEqual(des_key(b"\xff" * 7), b"\xfe" * 8)
        for key in (des_key(bytes.fromhex("0123456789abcd")), des_key(b"\x80" + bytes(6))):
            self.assertTrue(all(octet.bit_count() % 2 for octet in key))
        self.assertEqual(des_key(b"\x80" + bytes(6))[0], 0x80)


class Responses(unittest.TestCase):
    def assert_offence(self, token, verdict, position=None):
        judged = response(token)
        self.assertEqual((judged["verdict"], judged["position"]), (verdict, position), token)

    def test_missing(self):
        order = ["username", "nonce", "cnonce", "nc", "digest-uri", "response"]
        for number, name in enumerate(order):
            self.assert_offence(whole(**dict.fromkeys(order[number:])), f"missing:{name}")
        self.assert_offence(whole(qop=b"AUTH-conf"), "missing:cipher")
        self.assert_offence(whole(qop=b"auth-conf", nonce=None), "missing:nonce")
        self.assertEqual(response(whole(realm=None))["fields"]["realm"], "")

    def test_invalid(self):
        for name, value in (
            ("qop", b"auth-"),
            ("nc", b"1"),
            ("cipher", b"aes"),
            ("cipher", b'"rc4,des"'),
            ("maxbuf", b"16"),
            ("maxbuf", b"16777216"),
            ("maxbuf", b"+17"),
            ("maxbuf", b'" 17"'),
            ("maxbuf", b"9" * 5000),
            ("charset", b"latin1"),
            ("authzid", b'""'),
            ("authzid", b'"\xe9"'),
            ("digest-uri", b"imap"),
            ("digest-uri", b"imap/"),
            ("digest-uri", b"/host"),
            ("digest-uri", b'""'),
        ):
            token = whole(**{name: value})
            at = token.index(name.encode() + b"=") + len(name) + 1 + value.startswith(b'"')
            self.assert_offence(token, f"invalid:{name}", at)
        self.assert_offence(b'username="\xff",charset=utf-8', "invalid:username", 10)
        self.assert_offence(b'username="\xff",authzid="\xff"', "invalid:authzid", 22)

    def test_known_and_unknown(self):
        judged = response(whole(opaque=b"x", algorithm=b"SHA-256") + b",uri=a,uri=b,opaque=c")
        self.assertEqual(len(judged["unknown"]), 5)
        for name in ("maxbuf=17", "cipher=des", 'authzid="a"', "realm=r"):
            token = whole(realm=None) + f",{name},X=1,{name}".encode()
            self.assertEqual(response(token)["verdict"], "repeated:" + name.partition("=")[0])

    def test_values(self):
        fields = response(whole(maxbuf=b"00000000000000000000000017", qop=b"Auth-Conf", cipher=b"RC4-56"))["fields"]
        self.assertEqual((fields["maxbuf"], fields["cipher"], fields["layer"]), (17, "rc4-56", "rc4-56"))
        self.assertEqual(fields["qop_text"], b"Auth-Conf".hex())
        fields = response(whole())["fields"]
        self.assertEqual((fields["maxbuf"], fields["qop_text"], fields["layer"]), (65536, b"auth".hex(), None))

    def test_formulas(self):
        """Section 2.1.2.1 written out once more."""

        def digest(*fields):
            return md5(b":".join(fields)).hexdigest().encode()

        def judged(name, password, hashed_user, qop, hashed_authzid, **directives):
            user = md5(hashed_user).digest()
            a1 = user + b":n:c" + (b":" + hashed_authzid if hashed_authzid else b"")
            zeros = [b"0" * 32] if qop != b"auth" else []
            tail = (b"n", b"00000001", b"c", qop)
            value = digest(md5(a1).hexdigest().encode(), *tail, digest(b"AUTHENTICATE", b"imap/h", *zeros))
            directives |= {"digest_uri": b"imap/h", "response": value, "realm": None, "qop": qop}
            return response(whole(**directives), username=name, realm="", password=password)

        one = judged("chris", "\u00e9", b"chris::\xe9", b"auth-int", None)
        self.assertEqual(one["verdict"], "right")
        two = judged("chris", "\u20ac", b"chris::\xe2\x82\xac", b"auth", "\u00e9".encode(), authzid='"\u00e9"'.encode())
        self.assertEqual(two["verdict"], "right")
        utf8 = {"username": '"J\u00e4"'.encode(), "charset": b"utf-8", "cipher": b"des"}
        self.assertEqual(judged("J\u00e4", "p", b"J\xe4::p", b"auth-conf", None, **utf8)["verdict"], "right")
        self.assertEqual(judged("J\u00e4", "p", b"J\xc3\xa4::p", b"auth-conf", None, **utf8)["verdict"], "differs")


class Challenges(unittest.TestCase):
    def test_values(self):
        fields = challenge(
            b'realm="a",REALM="",realm="S\xfcd",nonce="",algorithm="MD5-SESS",qop="auth-conf, x",'
            b'cipher="des,aes , RC4",maxbuf=16777215,stale=TRUE,opaque=1,opaque=2'
        )["fields"]
        self.assertEqual(fields["realms"], ["61", "", "S\u00fcd".encode().hex()])
        self.assertEqual(fields["qop"], {"auth": False, "auth-int": False, "auth-conf": True, "others": True})
        self.assertEqual((fields["ciphers"], fields["maxbuf"], fields["stale"]), (["rc4", "des"], 16777215, True))
        fields = challenge(b"nonce=n,algorithm=md5,cipher=aes")["fields"]
        self.assertEqual((fields["realms"], fields["ciphers"], fields["algorithm"]), ([], [], "unknown"))
        self.assertEqual(fields["qop"], {"auth": True, "auth-int": False, "auth-conf": False, "others": False})

    def test_offences(self):
        for token, verdict, position in (
            (b"algorithm=md5-sess", "missing:nonce", None),
            (b"nonce=n", "missing:algorithm", None),
            (b'qop=","', "invalid:qop", 5),
            (b'cipher=" "', "invalid:cipher", 8),
            (b"maxbuf=16", "invalid:maxbuf", 7),
            (b"charset=x", "invalid:charset", 8),
            (b'realm="a",realm="\xff",charset=utf-8', "invalid:realm", 17),
            (b"nonce=a,nonce=a", "repeated:nonce", 8),
            (b"cipher=des,cipher=des", "repeated:cipher", 11),
        ):
            judged = challenge(token)
            self.assertEqual((judged["verdict"], judged["position"]), (verdict, position), token)
        self.assertEqual(challenge(b"nonce=n,algorithm=a".ljust(2048, b","))["verdict"], "syntax")


class Layers(unittest.TestCase):
    key = md5(b"H(A1)").digest()

    def test_round_trip_and_numbers(self):
        for layer in (INTEGRITY, *CIPHERS):
            for direction in DIRECTIONS:
                sender, receiver = Sender(self.key, direction, layer), Receiver(self.key, direction, layer)
                for number, message in enumerate((b"", b"a", b"x" * 13, b"\x00" * 22, b"y" * 100)):
                    wrapped = sender.wrap(message)
                    overhead = len(wrapped) - len(message)
                    self.assertIn(overhead, range(17, 25) if layer in ("des", "3des") else (16,))
                    self.assertEqual(wrapped[-6:], b"\x00\x01" + number.to_bytes(4, "big"))
                    self.assertEqual(receiver.unwrap(wrapped), ("ok", message), layer)

    def test_signatures_share_the_numbers(self):
        sender = Sender(self.key, DIRECTIONS[0], "rc4")
        receiver = Receiver(self.key, DIRECTIONS[0], "rc4")
        first, second = sender.sign(b"one"), sender.wrap(b"two")
        self.assertEqual(receiver.unwrap(second), ("out-of-sequence", None))
        self.assertEqual(receiver.verify(b"one", first), "ok")
        self.assertEqual(receiver.verify(b"one", first), "out-of-sequence")
        self.assertEqual(receiver.verify(b"one", first[:-1]), "altered")
        self.assertEqual(receiver.unwrap(second), ("ok", b"two"))

    def test_alterations(self):
        for layer in (INTEGRITY, *CIPHERS):
            wrapped = Sender(self.key, DIRECTIONS[1], layer).wrap(b"message")
            for at in range(len(wrapped)):
                receiver = Receiver(self.key, DIRECTIONS[1], layer)
                broken = wrapped[:at] + bytes([wrapped[at] ^ 0x80]) + wrapped[at + 1 :]
                in_number = at >= len(wrapped) - 4 and layer != INTEGRITY
                self.assertEqual(receiver.unwrap(broken)[0], "out-of-sequence" if in_number else "altered")
                # What was enciphered is lost with the cipher's state; anything else can be repeated.
                dead = layer != INTEGRITY and at < len(wrapped) - 6
                self.assertEqual(receiver.unwrap(wrapped)[0], "dead" if dead else "ok", (layer, at))
            for length in range(len(wrapped)):
                receiver = Receiver(self.key, DIRECTIONS[1], layer)
                shortest = 22 if layer in ("des", "3des") else 16
                status = receiver.unwrap(wrapped[:length])[0]
                self.assertEqual(status == "incomplete", length < shortest)
                self.assertNotEqual(status, "ok")

    def test_the_numbers_end(self):
        for layer in (INTEGRITY, "des"):
            sender = Sender(self.key, DIRECTIONS[0], layer)
            sender.number = 0xFFFFFFFF
            self.assertTrue(sender.wrap(b"").endswith(b"\xff" * 4))
            self.assertIsNone(sender.wrap(b""))
            self.assertIsNone(sender.sign(b""))

    def test_other_direction_and_other_key(self):
        wrapped = Sender(self.key, DIRECTIONS[0], INTEGRITY).wrap(b"m")
        self.assertEqual(Receiver(self.key, DIRECTIONS[1], INTEGRITY).unwrap(wrapped)[0], "altered")
        # Of H(A1), rc4-40 takes five octets for the cipher and sixteen for the MAC.
        other = self.key[:5] + bytes(11)
        one, two = Sender(self.key, DIRECTIONS[0], "rc4-40"), Sender(other, DIRECTIONS[0], "rc4-40")
        one, two = one.wrap(b"m"), two.wrap(b"m")
        self.assertEqual(one[:1], two[:1])
        self.assertNotEqual(one, two)


class Bindings(unittest.TestCase):
    def judged(self, buffer):
        return answer({"kind": "channel-bindings", "buffer": buffer.hex()})

    def test_structure(self):
        header = [2, 4, 32, 3, 0, 99, 5, 36]
        buffer = b"".join(field.to_bytes(4, "little") for field in header) + b"abcdhello"
        judged = self.judged(buffer)
        hashed = b"\x02\0\0\0\x04\0\0\0abcd\x03\0\0\0\0\0\0\0\x05\0\0\0hello"
        self.assertEqual(judged["hash"], md5(hashed).hexdigest())
        self.assertEqual(self.judged(buffer[:-1])["verdict"], "invalid")
        self.assertEqual(self.judged(buffer[:31])["verdict"], "invalid")
        self.assertEqual(self.judged(bytes(32))["hash"], md5(bytes(20)).hexdigest())
        self.assertEqual(self.judged(b"\xff" * 64)["verdict"], "invalid")

    def presented(self, cnonce=None, hashed_dirs=b"service-name,channel-binding", **changes):
        values = {"service-name": b"HTTP/host", "channel-binding": b"0" * 32, **changes}
        covering = upgraded_cnonce(values["service-name"] or b"", values["channel-binding"] or b"", bytes(16))
        directives = {"cnonce": covering if cnonce is None else cnonce, "hashed-dirs": hashed_dirs, **values}
        token = b"username=u,realm=r,nonce=n,uri=/,qop=auth,nc=00000001,opaque=o,response=" + b"0" * 32
        for name, value in directives.items():
            if value is not None:
                token += b"," + name.encode() + b'="' + value + b'"'
        return answer({"kind": "presented", "token": token.hex()})["verdict"]

    def test_presented(self):
        none = {"hashed_dirs": None, "service-name": None, "channel-binding": None}
        self.assertEqual(self.presented(), "bound")
        self.assertEqual(self.presented(hashed_dirs=b"X , Channel-Binding,SERVICE-name"), "bound")
        self.assertEqual(self.presented(**{"service-name": b""}), "bound")
        self.assertEqual(self.presented(cnonce=b"c", **none), "missing")
        self.assertEqual(self.presented(cnonce=UPGRADED, **none), "inconsistent")
        self.assertEqual(self.presented(hashed_dirs=b"service-name"), "inconsistent")
        self.assertEqual(self.presented(hashed_dirs=b""), "inconsistent")
        self.assertEqual(self.presented(cnonce=b"c"), "inconsistent")
        self.assertEqual(self.presented(**{"channel-binding": b"0" * 31}), "inconsistent")
        right = upgraded_cnonce(b"HTTP/host", b"0" * 32, bytes(16))
        self.assertEqual(self.presented(cnonce=right[:-31]), "bound")
        self.assertEqual(self.presented(cnonce=right[:-32]), "inconsistent")
        self.assertEqual(self.presented(cnonce=right[:12] + right[12:].upper()), "bound")
        self.assertEqual(self.presented(cnonce=right.lower()), "inconsistent")
        for name in ("service-name", "channel-binding"):
            self.assertEqual(self.presented(cnonce=right, **{name: None}), "inconsistent")

    def test_upgraded(self):
        def upgraded(nonce):
            zeros = {"service_name": b"s".hex(), "channel_binding": (b"0" * 32).hex(), "entropy": "00" * 16}
            return answer({"kind": "upgraded", "nonce": nonce.hex(), **zeros})

        covering = md5(b"s:" + b"0" * 32).hexdigest()
        self.assertEqual(bytes.fromhex(upgraded(b"")["cnonce"]), f"+Upgraded+v1{covering}{'0' * 32}".encode())
        nonces = (b"+Upgraded+v1x", b"+Upgraded+", b"+upgraded+v1x", b"x+Upgraded+")
        self.assertEqual([upgraded(nonce)["upgraded"] for nonce in nonces], [True, True, False, False])


class Generators(unittest.TestCase):
    def test_same_seed_same_lines(self):
        for generate in (generate_sasl, generate_layers, generate_bindings):
            self.assertEqual(list(generate(7, 100)), list(generate(7, 100)))
            self.assertNotEqual(list(generate(7, 100)), list(generate(8, 100)))

    def test_every_outcome_is_drawn(self):
        def kinds(lines):
            return {line["expected"]["verdict"].partition(":")[0] for line in lines}

        messages = kinds(generate_sasl(1, 2000))
        self.assertEqual(messages, set("ok right differs syntax repeated invalid missing".split()))
        self.assertEqual(kinds(generate_bindings(1, 500)), set("ok invalid bound missing inconsistent".split()))
        steps = [step for line in generate_layers(1, 300) for step in line["expected"]["steps"]]
        statuses = {step["status"] for step in steps if "status" in step}
        self.assertEqual(statuses, set("ok altered out-of-sequence dead incomplete".split()))


if __name__ == "__main__":
    unittest.main()
