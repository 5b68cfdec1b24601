"""Puts vectors together, and writes them for people to read."""

import json
import random

from .vector_notes import NOTES
from .vector_operations import OK, OPERATIONS, octets, text_or_hex

SEED = "digest-ssp 1"
GENERATED = {"kind": "generated"}


class IntentionMissed(Exception):
    """A vector's status is not the one its maker meant."""


def published(document, section):
    return {"kind": "published", "document": document, "section": section}


def interop(peer):
    return {"kind": "interop", "peer": peer}


def rng(name):
    """Each vector draws from a source of its own, so that a new one changes no other."""
    return random.Random(f"{SEED}/{name}")


def digits(name, count=32):
    source = rng(name)
    return "".join(source.choice("0123456789abcdef") for _ in range(count))


class Book:
    """One file: the vectors of one operation."""

    def __init__(self, operation, about):
        self.operation, self.about = operation, about
        self.groups = []
        self.ids = set()

    def group(self, about):
        self.groups.append({"about": about, "vectors": []})

    def has(self, given):
        return any(vector["input"] == given for group in self.groups for vector in group["vectors"])

    def add(self, name, comment, flags, given, status=OK, source=GENERATED):
        identifier = f"{self.operation}/{name}"
        expected = OPERATIONS[self.operation](given)
        if expected["status"] != status:
            raise IntentionMissed(f"{identifier}: meant {status}, got {expected}")
        if identifier in self.ids:
            raise ValueError(f"{identifier}: twice")
        self.ids.add(identifier)
        vector = {
            "id": identifier,
            "comment": comment,
            "flags": flags.split(),
            "result": "valid" if status == OK else "invalid",
            "source": source,
            "input": given,
            "expected": expected,
        }
        self.groups[-1]["vectors"].append(vector)

    def document(self):
        used = {flag for group in self.groups for vector in group["vectors"] for flag in vector["flags"]}
        return {
            "$schema": "../schemas/vectors.schema.json",
            "operation": self.operation,
            "about": self.about,
            "notes": {flag: NOTES[flag] for flag in sorted(used)},
            "groups": self.groups,
        }


def rendered(document):
    """Indented, but what fits on a line stays on it."""
    return _rendered(document, "") + "\n"


def _rendered(value, indent):
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or (len(line) + len(indent) <= 110 and not _is_vector(value)):
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        members = [f"{json.dumps(name, ensure_ascii=False)}: {_rendered(member, deeper)}" for name, member in value.items()]
        brackets = "{}"
    else:
        members = [_rendered(member, deeper) for member in value]
        brackets = "[]"
    body = ",\n".join(deeper + member for member in members)
    return f"{brackets[0]}\n{body}\n{indent}{brackets[1]}"


def _is_vector(value):
    return isinstance(value, dict) and "id" in value


def check(document):
    """What the witness disagrees with in one file, a line each."""
    judge = OPERATIONS[document["operation"]]
    for group in document["groups"]:
        for vector in group["vectors"]:
            expected = judge(vector["input"])
            if expected != vector["expected"]:
                yield f"{vector['id']}: the witness says {json.dumps(expected)}, the vector {json.dumps(vector['expected'])}"
            if (vector["expected"]["status"] == OK) != (vector["result"] == "valid"):
                yield f"{vector['id']}: {vector['result']} with {vector['expected']['status']}"


__all__ = ["Book", "check", "digits", "interop", "octets", "published", "rendered", "rng", "text_or_hex"]
