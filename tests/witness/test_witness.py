"""The witness against published vectors, against the grammar octet by octet, and against itself."""

import json
import os
import subprocess
import sys
import unittest
from hashlib import md5
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from digest_witness import generate as generator  # noqa: E402
from digest_witness.directives import DIRECTIVES, TOKEN_BYTES, Offence, scan  # noqa: E402
from digest_witness.verify import answer  # noqa: E402

# RFC 2617 3.5
RFC_2617 = (
    b'username="Mufasa",\r\n        realm="testrealm@host.com",\r\n'
    b'        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",\r\n        uri="/dir/index.html",\r\n'
    b'        qop=auth,\r\n        nc=00000001,\r\n        cnonce="0a4f113b",\r\n'
    b'        response="6629fae49393a05397450978507c4ef1",\r\n'
    b'        opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
RFC_2617_CHALLENGE = (
    b'realm="testrealm@host.com",\r\n qop="auth,auth-int",\r\n'
    b' nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",\r\n opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
# RFC 7616 3.9.1, the MD5 response
RFC_7616 = (
    b'username="Mufasa",\r\n realm="http-auth@example.org",\r\n uri="/dir/index.html",\r\n algorithm=MD5,\r\n'
    b' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",\r\n nc=00000001,\r\n'
    b' cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",\r\n qop=auth,\r\n'
    b' response="8ca523f5e9506fed4657c9700eebdbec",\r\n opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def hashed(*fields):
    return md5(b":".join(fields)).hexdigest().encode("ascii")


def response(token, **changes):
    request = {
        "kind": "response",
        "token": token.hex(),
        "username": "Mufasa",
        "realm": "testrealm@host.com",
        "password": "Circle Of Life",
        "method": b"GET".hex(),
        "entity": None,
    }
    return answer({**request, **changes})


def challenge(token):
    return answer({"kind": "challenge", "token": token.hex()})


def minimal(digest=b"0" * 32, **changes):
    """A whole response, bare where it can be."""
    values = {
        "username": b'"Mufasa"',
        "realm": b'"testrealm@host.com"',
        "nonce": b"n",
        "uri": b"/",
        "qop": b"auth",
        "nc": b"00000001",
        "cnonce": b"c",
        "response": digest,
        "opaque": b"o",
        **changes,
    }
    return b",".join(name.encode() + b"=" + value for name, value in values.items() if value is not None)


class PublishedVectors(unittest.TestCase):
    def test_rfc_2617(self):
        judged = response(RFC_2617)
        self.assertEqual(judged["verdict"], "right")
        self.assertEqual(bytes.fromhex(judged["fields"]["uri"]), b"/dir/index.html")
        self.assertEqual(len(judged["fields"]), 9)

    def test_rfc_2617_challenge(self):
        fields = challenge(RFC_2617_CHALLENGE)["fields"]
        self.assertEqual(bytes.fromhex(fields["realm"]), b"testrealm@host.com")
        self.assertEqual(fields["qop"], {"auth": True, "auth-int": True, "others": False})
        self.assertEqual(fields["algorithm"], "absent")
        self.assertFalse(fields["stale"])
        self.assertEqual(fields["charset"], "iso-8859-1")
        self.assertIsNone(fields["domain"])

    def test_rfc_7616(self):
        account = {"realm": "http-auth@example.org", "password": "Circle of Life"}
        self.assertEqual(response(RFC_7616, **account)["verdict"], "right")

    def test_every_digit_counts(self):
        for digit in range(32):
            at = RFC_2617.index(b"6629fae4") + digit
            wrong = b"0" if RFC_2617[at : at + 1] != b"0" else b"1"
            self.assertEqual(response(RFC_2617[:at] + wrong + RFC_2617[at + 1 :])["verdict"], "differs")

    def test_everything_hashed_counts(self):
        for change in ({"method": b"POST".hex()}, {"password": "Circle of Life"}, {"username": "mufasa"}, {"realm": ""}):
            self.assertEqual(response(RFC_2617, **change)["verdict"], "differs", change)
        for old, new in ((b"/dir", b"/Dir"), (b"dcd9", b"dcda"), (b"nc=00000001", b"nc=00000002"), (b"0a4f", b"0A4f")):
            self.assertEqual(response(RFC_2617.replace(old, new))["verdict"], "differs", old)
        self.assertEqual(response(RFC_2617.replace(b"qop=auth", b"qop=AUTH"))["verdict"], "differs")

    def test_upper_case_digits_are_the_same_number(self):
        token = RFC_2617.replace(b"6629fae49393a05397450978507c4ef1", b"6629FAE49393A05397450978507C4EF1")
        self.assertEqual(response(token)["verdict"], "right")


class Hashes(unittest.TestCase):
    """The formulas of RFC 2617 3.2.2, written out once more."""

    user = hashed(b"Mufasa", b"testrealm@host.com", b"Circle Of Life")

    def test_md5_sess_and_its_session(self):
        tail = (b"n", b"00000001", b"c", b"auth", hashed(b"GET", b"/"))
        own = minimal(hashed(hashed(self.user, b"n", b"c"), *tail), algorithm=b"md5-sess")
        self.assertEqual(response(own)["verdict"], "right")
        first = minimal(hashed(hashed(self.user, b"n1", b"c1"), *tail), algorithm=b"MD5-sess")
        self.assertEqual(response(first)["verdict"], "differs")
        session = {"session_nonce": b"n1".hex(), "session_cnonce": b"c1".hex()}
        self.assertEqual(response(first, **session)["verdict"], "right")
        self.assertEqual(response(own, **session)["verdict"], "differs")
        # Without MD5-sess the session's nonces are no part of any hash.
        plain = minimal(hashed(self.user, *tail))
        self.assertEqual(response(plain, **session)["verdict"], "right")

    def test_auth_int(self):
        entity = hashed(b"body")
        token = minimal(
            hashed(self.user, b"n", b"00000001", b"c", b"auth-int", hashed(b"GET", b"/", entity)), qop=b"auth-int"
        )
        self.assertEqual(response(token, entity=entity.hex())["verdict"], "right")
        self.assertEqual(response(token, entity=entity.upper().hex())["verdict"], "right")
        self.assertEqual(response(token, entity=hashed(b"").hex())["verdict"], "differs")
        self.assertEqual(response(token, entity=None)["verdict"], "entity-missing")
        self.assertEqual(response(token, entity="")["verdict"], "entity-missing")
        self.assertEqual(response(token, entity=b"0".hex())["verdict"], "entity-invalid")
        self.assertEqual(response(RFC_2617, entity=b"0".hex())["verdict"], "right")

    def test_charset_rule_field_by_field(self):
        account = {"username": "J\u00e4s\u00f8n", "realm": "r", "password": "\u20ac\u00e9"}
        tail = (b"n", b"00000001", b"c", b"auth", hashed(b"GET", b"/"))
        latin, utf8 = b"J\xe4s\xf8n", b"J\xc3\xa4s\xc3\xb8n"
        password = b"\xe2\x82\xac\xc3\xa9"
        for hash_input, verdict in ((latin, "right"), (utf8, "right"), (b"Jason", "differs")):
            token = minimal(
                hashed(hashed(hash_input, b"r", password), *tail), username=b'"' + utf8 + b'"', realm=b"r", charset=b"utf-8"
            )
            self.assertEqual(response(token, **account)["verdict"], verdict)

    def test_authentication_info(self):
        base = {
            "kind": "authentication-info",
            "username": "Mufasa",
            "realm": "testrealm@host.com",
            "password": "Circle Of Life",
            "nonce": b"n".hex(),
            "cnonce": b"c".hex(),
            "nc": b"00000001".hex(),
            "uri": b"/".hex(),
            "qop": b"auth".hex(),
            "algorithm": "MD5",
            "entity": None,
        }

        def judged(token, **changes):
            return answer({**base, "token": token.hex(), **changes})["verdict"]

        proof = hashed(self.user, b"n", b"00000001", b"c", b"auth", hashed(b"", b"/"))
        self.assertEqual(judged(b'qop=auth,rspauth="' + proof + b'",cnonce="c",nc=00000001'), "right")
        own = hashed(self.user, b"n", b"00000001", b"c", b"auth", hashed(b"GET", b"/"))
        self.assertEqual(judged(b"rspauth=" + own), "differs")
        self.assertEqual(judged(b"nextnonce=x"), "missing:rspauth")
        self.assertEqual(judged(b"rspauth=00"), "invalid:rspauth")
        body = hashed(b"body")
        proof = hashed(self.user, b"n", b"00000001", b"c", b"auth-int", hashed(b"", b"/", body))
        changes = {"qop": b"auth-int".hex()}
        self.assertEqual(judged(b"rspauth=" + proof, entity=body.hex(), **changes), "right")
        self.assertEqual(judged(b"rspauth=" + proof, **changes), "entity-missing")
        proof = hashed(self.user, b"n", hashed(b"", b"/"))
        self.assertEqual(judged(b"rspauth=" + proof, qop=None), "right")


class Grammar(unittest.TestCase):
    def offence(self, token):
        with self.assertRaises(Offence) as caught:
            list(scan(token))
        self.assertEqual(caught.exception.verdict, "syntax", token)
        return caught.exception.position

    def test_positions_of_syntax_errors(self):
        for token, position in (
            (b"a", 1),
            (b"a b", 2),
            (b"a=", 2),
            (b"a= ,b=c", 3),
            (b"a=b c", 4),
            (b'a=b"c"', 3),
            (b'a="b"c', 5),
            (b'a="b', 2),
            (b'a="', 2),
            (b'a="b\\', 2),
            (b'a="b\\"', 2),
            (b'a=",",b="c', 8),
            (b'a="b\x00', 4),
            (b'a="\x00"', 3),
            (b'a="\x7f"', 3),
            (b'a="\\\r\n b"', 4),
            (b'a="\r\nb"', 3),
            (b'a="\n b"', 3),
            (b"a=\x80\x7f", 3),
            (b"\x80=b", 0),
            (b"=b", 0),
            (b"a=b\r\n", 3),
            (b"a=b\r\n,", 3),
            (b"a\n=b", 1),
            (b"a=b;c,@", 6),
            (b'"a"=b', 0),
        ):
            self.assertEqual(self.offence(token), position, token)

    def test_good_ones(self):
        for token, expected in (
            (b"", []),
            (b" ,\t, \r\n ", []),
            (b"a=b", [("a", b"b", 2)]),
            (b',,A \r\n = \t"b, \\"c" , ', [("a", b'b, "c', 11)]),
            (b'a=""', [("a", b"", 3)]),
            (b"a=\\b=\xff", [("a", b"\\b=\xff", 2)]),
            (b'a="x\r\n y"', [("a", b"x\r\n y", 3)]),
            (b'a="\\\\\\\t\\\xff"', [("a", b"\\\t\xff", 3)]),
        ):
            self.assertEqual([(d.key(), d.value(), d.value_at) for d in scan(token)], expected, token)

    def test_limits(self):
        many = b",".join([b"x=1"] * DIRECTIVES)
        self.assertEqual(len(list(scan(many))), DIRECTIVES)
        self.assertEqual(self.offence(many + b", x=1"), len(many) + 2)
        long = b"a=" + b"b" * (TOKEN_BYTES - 2)
        self.assertEqual(len(list(scan(long))), 1)
        self.assertEqual(self.offence(long + b"b"), TOKEN_BYTES)

    def test_username_keeps_the_backslash_of_a_domain(self):
        for raw, value in (
            (b'"DOMAIN\\user"', b"DOMAIN\\user"),
            (b'"DOMAIN\\\\user"', b"DOMAIN\\user"),
            (b'"a\\"b"', b'a"b'),
            (b'"\\\\\\\\x"', b"\\\\x"),
            (b"DOMAIN\\user", b"DOMAIN\\user"),
            (b"DOMAIN\\\\user", b"DOMAIN\\\\user"),
        ):
            fields = response(minimal(username=raw))["fields"]
            self.assertEqual(bytes.fromhex(fields["username"]), value, raw)
        fields = response(minimal(realm=b'"DOMAIN\\user"'))["fields"]
        self.assertEqual(bytes.fromhex(fields["realm"]), b"DOMAINuser")


class Responses(unittest.TestCase):
    def assert_offence(self, token, verdict, position=None):
        judged = response(token)
        self.assertEqual((judged["verdict"], judged["position"]), (verdict, position), token)
        self.assertNotIn("fields", judged)

    def test_missing_in_the_order_of_the_list(self):
        order = ["username", "realm", "nonce", "uri", "qop", "nc", "cnonce", "response", "opaque"]
        for count in range(len(order)):
            token = minimal(**dict.fromkeys(order[count:]))
            self.assert_offence(token, f"missing:{order[count]}")
        for name in order:
            self.assert_offence(minimal(**{name: None}), f"missing:{name}")

    def test_invalid_values(self):
        for name, value in (
            ("nc", b"0000001"),
            ("nc", b"000000001"),
            ("nc", b"0000000g"),
            ("response", b"0" * 31),
            ("response", b"0" * 33),
            ("qop", b"auth-conf"),
            ("algorithm", b"SHA-256"),
            ("charset", b"utf8"),
        ):
            token = minimal(**{name: value})
            self.assert_offence(token, f"invalid:{name}", token.index(name.encode() + b"=") + len(name) + 1)
        token = minimal(uri=b'""')
        self.assert_offence(token, "invalid:uri", token.index(b'uri="') + 5)

    def test_repeated(self):
        token = minimal() + b", NC=00000001"
        self.assert_offence(token, "repeated:nc", token.index(b"NC"))
        self.assertEqual(response(minimal() + b",x=1,X=2,stale=1,stale=2")["verdict"], "differs")

    def test_the_first_offence_wins(self):
        self.assert_offence(b"nc=1,nc=2,", "invalid:nc", 3)
        self.assert_offence(b'nc=1,qop="', "invalid:nc", 3)
        self.assert_offence(b'nc=1"', "invalid:nc", 3)
        self.assert_offence(b'nc=00000001,nc="', "syntax", 15)
        self.assert_offence(b"nc=00000001,nc=1", "repeated:nc", 12)
        self.assert_offence(b"nc=00000001;,@", "invalid:nc", 3)

    def test_charset_is_judged_after_the_scan(self):
        self.assert_offence(b'username="\xff",charset=utf-8,nc=1', "invalid:nc", 30)
        self.assert_offence(b'realm="\xff",username="\xc0\x80",charset=UTF-8', "invalid:username", 20)
        self.assert_offence(b'realm="\xff",charset=UTF-8', "invalid:realm", 7)
        self.assert_offence(b'realm="\xff"', "missing:username")


class Challenges(unittest.TestCase):
    def test_values(self):
        fields = challenge(b'REALM=a,nonce="",stale=True,algorithm=md5-SESS,qop=" auth ,token"')["fields"]
        self.assertEqual((fields["stale"], fields["algorithm"]), (True, "MD5-sess"))
        self.assertEqual(fields["qop"], {"auth": True, "auth-int": False, "others": True})
        self.assertIsNone(fields["opaque"])
        fields = challenge(b'realm=a,nonce=b,stale=maybe,algorithm=SHA-256')["fields"]
        self.assertEqual((fields["stale"], fields["algorithm"], fields["qop"]), (False, "unknown", None))
        fields = challenge(b'realm="S\xfcd",nonce=b')["fields"]
        self.assertEqual(bytes.fromhex(fields["realm"]), "S\u00fcd".encode())

    def test_offences(self):
        for token, verdict, position in (
            (b"realm=a", "missing:nonce", None),
            (b"nonce=a", "missing:realm", None),
            (b'qop=", ",realm=a', "invalid:qop", 5),
            (b'realm="\xff",charset=utf-8', "invalid:realm", 7),
            (b"realm=a,nonce=b,Realm=a", "repeated:realm", 16),
            (b"charset=latin1", "invalid:charset", 8),
        ):
            judged = challenge(token)
            self.assertEqual((judged["verdict"], judged["position"]), (verdict, position), token)

    def test_2048_octets_are_too_many(self):
        token = b"realm=a,nonce=b,"
        self.assertEqual(challenge(token.ljust(2047, b","))["verdict"], "ok")
        self.assertEqual(challenge(token.ljust(2048, b","))["verdict"], "syntax")


class Generator(unittest.TestCase):
    def test_same_seed_same_lines(self):
        first = list(generator.generate(7, 300))
        self.assertEqual(first, list(generator.generate(7, 300)))
        self.assertNotEqual(first, list(generator.generate(8, 300)))

    def test_a_third_is_bad_and_much_is_good(self):
        verdicts = [line["expected"]["verdict"] for line in generator.generate(1, 3000)]
        good = sum(verdict in ("right", "ok") for verdict in verdicts)
        self.assertGreater(good, 900)
        self.assertLess(good, 2000)
        kinds = {verdict.partition(":")[0] for verdict in verdicts}
        every = "ok right differs syntax repeated invalid missing entity-missing entity-invalid"
        self.assertEqual(kinds, set(every.split()))

    def test_a_verifier_that_errs_is_noticed(self):
        def generous(request):
            judged = answer(request)
            return {**judged, "verdict": "right"} if judged["verdict"] == "differs" else judged

        with mock.patch.object(generator, "answer", generous), self.assertRaises(generator.IntentionMissed):
            list(generator.generate(1, 500))

    def test_commands(self):
        def run(*arguments, text=None):
            command = [sys.executable, os.path.join(HERE, "witness.py"), *arguments]
            return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines()

        lines = run("generate", "--seed", "3", "--count", "200")
        self.assertEqual(len(lines), 200)
        answers = run("verify", text="\n".join(lines[:100] + ["[]", "{"] + lines[100:]))
        self.assertEqual(len(answers), 202)
        self.assertIn("error", json.loads(answers.pop(100)))
        self.assertIn("error", json.loads(answers.pop(100)))
        for line, judged in zip(lines, answers):
            self.assertEqual(json.loads(line)["expected"], json.loads(judged))


if __name__ == "__main__":
    unittest.main()
