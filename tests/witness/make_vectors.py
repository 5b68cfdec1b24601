#!/usr/bin/env python3
"""Writes spec/vectors, or compares what is there: the same vectors every time, by the witness alone.

    python3 tests/witness/make_vectors.py            write; a vector that is there already must stay what it is
    python3 tests/witness/make_vectors.py --compare  say what would change
    python3 tests/witness/make_vectors.py --check    judge the vectors of the files, whoever wrote them

An id names one input for ever: a vector that was wrong is withdrawn (`--withdraw ID`) and another one gets another id.
"""

import argparse
import json
import sys
from pathlib import Path

from digest_witness import vectors_http, vectors_layers, vectors_sasl
from digest_witness.directives import Offence
from digest_witness.messages import Message, RESPONSE
from digest_witness.sasl_messages import SaslResponse
from digest_witness.vector_writing import check, rendered

HERE = Path(__file__).resolve().parent
DIRECTORY = HERE.parent.parent / "spec" / "vectors"
_QUOTED_REALM = 'a "quoted" realm, with comma'


def _captures(name):
    return [json.loads(line) for line in (HERE / "captured" / name).read_text(encoding="utf-8").splitlines()]


def _http_captures():
    for capture in _captures("http.jsonl"):
        token = capture["header"].partition(" ")[2]
        try:
            message = Message(token.encode("latin-1"), RESPONSE, username_of_response=True)
        except Offence:
            message = None
        realm = _QUOTED_REALM if capture["challenge"] == "quoted-realm" else "testrealm@host.com"
        yield {**capture, "token": token, "realm": realm, "message": message and message.values}


def _sasl_captures():
    for capture in _captures("sasl.jsonl"):
        token = capture.pop("response")
        peer = capture["peer"].rpartition(" ")[0].lower().replace(" ", "-")
        qop = "auth-int" if b"auth-int" in bytes.fromhex(token)[-120:] else "auth"
        latin = any(ord(letter) > 0x7F for letter in capture["username"] + capture["password"])
        what = "latin-1" if latin else "quotes" if '"' in capture["username"] else "ascii"
        if capture["username"][0] == "\u0416":
            what = "cyrillic"
        flag = " Charset" if latin else ""
        try:
            response = SaslResponse(bytes.fromhex(token))
            qop = response.layer() or "auth"
            what = "authzid" if response.authzid else what
            if latin and response.message.charset() != "utf-8":
                flag = " CharsetLeftOut"
        except Offence:
            response = None
        yield {
            **capture,
            "token": token,
            "response": response,
            "name": f"{peer}/{qop}/{what}",
            "charset_flag": flag,
        }


def documents():
    books = [
        *vectors_http.books(list(_http_captures())),
        *vectors_sasl.books(list(_sasl_captures())),
        *vectors_layers.books(list(_sasl_captures())),
    ]
    return {book.operation.replace("-", "_") + ".json": book.document() for book in books}


def _vectors(document):
    return {vector["id"]: vector for group in document["groups"] for vector in group["vectors"]}


def _broken_promises(old, new, withdrawn):
    """Ids of the old file that would vanish, or would name another input."""
    now = _vectors(new)
    for identifier, vector in _vectors(old).items():
        if identifier in withdrawn:
            continue
        if identifier not in now:
            yield f"{identifier}: would vanish"
        elif now[identifier]["input"] != vector["input"]:
            yield f"{identifier}: would name another input"


def _check():
    problems = []
    for file in sorted(DIRECTORY.glob("*.json")):
        problems += check(json.loads(file.read_text(encoding="utf-8")))
    return problems


def _compare_or_write(compare, withdrawn):
    problems, made = [], documents()
    for name, document in made.items():
        file = DIRECTORY / name
        text = rendered(document)
        before = file.read_text(encoding="utf-8") if file.exists() else None
        if compare and text != before:
            problems.append(f"{name}: is not what the witness makes")
        if not compare and before is not None:
            problems += _broken_promises(json.loads(before), document, withdrawn)
    there = {file.name for file in DIRECTORY.glob("*.json")}
    problems += [f"{name}: nobody makes it" for name in sorted(there - set(made))]
    if not compare and not problems:
        DIRECTORY.mkdir(exist_ok=True)
        for name, document in made.items():
            (DIRECTORY / name).write_text(rendered(document), encoding="utf-8", newline="\n")
            print(f"{name}: {len(_vectors(document))} vectors")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--compare", action="store_true")
    mode.add_argument("--check", action="store_true")
    parser.add_argument("--withdraw", metavar="ID", action="append", default=[])
    arguments = parser.parse_args()
    problems = _check() if arguments.check else _compare_or_write(arguments.compare, set(arguments.withdraw))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
