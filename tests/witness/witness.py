#!/usr/bin/env python3
"""Entry of the independent Digest witness: `verify` or `generate` (README.md)."""

import argparse
import json
import sys

from digest_witness.generate import generate
from digest_witness.generate_sasl import generate_bindings, generate_layers, generate_sasl
from digest_witness.verify import answer

PROFILES = {"http": generate, "sasl": generate_sasl, "layers": generate_layers, "bindings": generate_bindings}


def _line(value):
    return json.dumps(value, separators=(",", ":"))


def verify():
    """One answer per line of input, in order. A request that is none gets an `error`, so order holds."""
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            reply = answer(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reply = {"error": f"not a request of the protocol: {type(error).__name__}: {error}"}
        sys.stdout.write(_line(reply) + "\n")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description="An independent verifier and generator of Digest messages")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("verify", help="judge the requests on standard input, one JSON object a line")
    generator = commands.add_parser("generate", help="print requests together with their expected answers")
    generator.add_argument("--profile", choices=PROFILES, default="http")
    generator.add_argument("--seed", type=int, required=True)
    generator.add_argument("--count", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.command == "verify":
        verify()
    else:
        for request in PROFILES[arguments.profile](arguments.seed, arguments.count):
            sys.stdout.write(_line(request) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
