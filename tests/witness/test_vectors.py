"""The maker and the judge of spec/vectors."""

import copy
import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import make_vectors  # noqa: E402
from digest_witness import vector_writing  # noqa: E402
from digest_witness.vector_writing import Book, check, octets, rendered, text_or_hex  # noqa: E402


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.documents = make_vectors.documents()

    def test_same_vectors_every_time(self):
        self.assertEqual(
            {name: rendered(document) for name, document in self.documents.items()},
            {name: rendered(document) for name, document in make_vectors.documents().items()},
        )

    def test_what_is_rendered_is_what_was_made(self):
        for document in self.documents.values():
            self.assertEqual(json.loads(rendered(document)), document)

    def test_the_committed_ones_are_these(self):
        command = [sys.executable, os.path.join(HERE, "make_vectors.py")]
        for mode in ("--compare", "--check"):
            done = subprocess.run([*command, mode], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), mode)

    def test_a_wrong_vector_is_noticed(self):
        for name, document in self.documents.items():
            wrong = copy.deepcopy(document)
            wrong["groups"][0]["vectors"][0]["expected"] = {"status": "SEC_E_OK", "x": 1}
            found = list(check(wrong))
            self.assertEqual(len(found), 1, name)
            self.assertIn(wrong["groups"][0]["vectors"][0]["id"], found[0])
        wrong = copy.deepcopy(document)
        wrong["groups"][0]["vectors"][0]["result"] = "invalid"
        self.assertEqual(len(list(check(wrong))), 1)

    def test_an_intention_is_held(self):
        book = Book("channel-bindings", "")
        book.group("")
        with self.assertRaises(vector_writing.IntentionMissed):
            book.add("x", "", "", {"buffer": ""})
        book.add("x", "", "", {"buffer": ""}, status="SEC_E_INVALID_TOKEN")
        with self.assertRaises(ValueError):
            book.add("x", "", "", {"buffer": "00"}, status="SEC_E_INVALID_TOKEN")

    def test_an_id_names_one_input_for_ever(self):
        old = self.documents["upgraded_cnonce.json"]
        new = copy.deepcopy(old)
        changed, gone = new["groups"][0]["vectors"][:2]
        changed["input"]["nonce"] = "another"
        new["groups"][0]["vectors"].remove(gone)
        promises = list(make_vectors._broken_promises(old, new, set()))
        self.assertEqual(promises, [f"{changed['id']}: would name another input", f"{gone['id']}: would vanish"])
        self.assertEqual(list(make_vectors._broken_promises(old, new, {gone["id"], changed["id"]})), [])
        # Its notes, comments and expectations may be bettered.
        bettered = copy.deepcopy(old)
        bettered["groups"][0]["vectors"][0]["comment"] = "clearer"
        self.assertEqual(list(make_vectors._broken_promises(old, bettered, set())), [])

    def test_octets(self):
        for value in (b"", b"text", "\u0416".encode(), b"\xff", b"\x00", b"a\r\n b"):
            self.assertEqual(octets(text_or_hex(value)), value)
        self.assertEqual(text_or_hex(b"\x00"), {"hex": "00"})


if __name__ == "__main__":
    unittest.main()
