"""Ways to break a token."""

from .formatting import token

_CONTROLS = bytes(o for o in range(0x20) if o != 9) + b"\x7f"
_GRAMMAR = b'",=\\ \t\r\n:;()'


def truncated(rng, octets):
    return octets[: rng.randrange(len(octets))] if octets else octets


def with_control(rng, octets):
    at = rng.randrange(len(octets) + 1)
    return octets[:at] + bytes([rng.choice(_CONTROLS)]) + octets[at:]


def edited(rng, octets):
    """A few octets inserted, deleted, replaced; those of the grammar more often than others."""
    out = bytearray(octets)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        octet = rng.choice(_GRAMMAR) if rng.randrange(2) else rng.randrange(256)
        at = rng.randrange(len(out) + 1)
        action = rng.randrange(3)
        if action == 0 or at == len(out):
            out.insert(at, octet)
        elif action == 1:
            del out[at]
        else:
            out[at] = octet
    return bytes(out)


def noise(rng, _octets):
    length = rng.randrange(60)
    alphabet = range(256) if rng.randrange(2) else b'nc=qop=,uri" \\=,\t\r\n"'
    return bytes(rng.choice(alphabet) for _ in range(length))


def crowded(rng, octets):
    """More members than anybody needs; beyond 64 it is a syntax error."""
    filler = b",".join([b"x=1"] * rng.choice((40, 52, 53, 54, 55, 56, 63, 64, 65, 70)))
    return octets + b", " + filler if rng.randrange(2) else filler + b"," + octets


def spliced(rng, octets):
    """A piece of the token moved elsewhere in it."""
    cut = sorted(rng.randrange(len(octets) + 1) for _ in range(2))
    piece, rest = octets[cut[0] : cut[1]], octets[: cut[0]] + octets[cut[1] :]
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + piece + rest[at:]


ANY_OCTETS = (truncated, with_control, edited, edited, edited, noise, crowded, spliced)


def without(rng, pairs, name):
    return token(rng, [pair for pair in pairs if pair[0] != name])


def doubled(rng, pairs, name):
    """A known directive twice, with the same value or another."""
    value = dict(pairs)[name]
    if name not in ("qop", "nc", "response", "rspauth", "charset", "algorithm") and rng.randrange(2):
        value = value + b"x"
    return token(rng, [*pairs, (name, value)])


def replaced(rng, pairs, name, value):
    return token(rng, [(key, value if key == name else old) for key, old in pairs])
