"""Writes directives in every style the grammar allows."""

from .samples import any_case

_WHITE_SPACE = (b"", b"", b"", b" ", b"  ", b"\t", b"\r\n ", b"\r\n\t", b" \r\n  ")
_NOT_BARE = frozenset(b',"\x7f') | frozenset(range(0x21))
# Unknown to HTTP and to SASL.
_UNKNOWN = (b"x-forwarded", b"auth-param", b"authzid2", b"!#$%&'*+-.^_`|~", b"Nonces", b"realm2", b"max-buf")
_UNKNOWN_VALUES = (b"1", b"some, thing", b'"', b"\xfe\xff", b"", b"a=b;c", b"\\x")


def white_space(rng, plain):
    return b"" if plain else rng.choice(_WHITE_SPACE)


def can_be_bare(value):
    return value != b"" and not any(octet in _NOT_BARE for octet in value)


def quoted(rng, value, escape_more):
    """A quoted-string of this value; `escape_more` escapes what need not be, too."""
    out = bytearray(b'"')
    for octet in value:
        # No octet of a fold (CR LF and the blank behind) can be escaped.
        folding = octet in b"\r\n" or out.endswith(b"\n")
        if octet in b'"\\' or (escape_more and not folding and rng.randrange(5) == 0):
            out += b"\\"
        out.append(octet)
    return bytes(out + b'"')


def quoted_username(rng, value):
    r"""A username as peers send it: often with the `\` of `DOMAIN\user` unescaped."""
    out = bytearray(b'"')
    sloppy = rng.randrange(2) == 0
    for at, octet in enumerate(value):
        following = value[at + 1 : at + 2]
        unescaped = octet == 0x5C and sloppy and following not in (b"", b"\\", b'"', b"\r", b"\n")
        if octet in b'"\\' and not unescaped:
            out += b"\\"
        out.append(octet)
    return bytes(out + b'"')


def value_text(rng, name, value, plain):
    bare = can_be_bare(value)
    if bare and (name in ("qop", "nc", "algorithm", "charset", "stale") or not plain) and rng.randrange(3) > 0:
        return value
    if name == "username":
        return quoted_username(rng, value)
    return quoted(rng, value, escape_more=not plain and rng.randrange(4) == 0)


def unknown_directives(rng):
    pairs = [(rng.choice(_UNKNOWN), rng.choice(_UNKNOWN_VALUES)) for _ in range(rng.randrange(1, 4))]
    if rng.randrange(2) == 0:
        pairs.append((pairs[0][0], b"again"))
    return pairs


def shuffled(rng, items):
    items = list(items)
    rng.shuffle(items)
    return items


def directive(rng, name, value, plain):
    """One directive; `name` is text for a known one, octets for an unknown one."""
    known = isinstance(name, str)
    written = name.encode("ascii") if known else name
    if not plain and known:
        written = any_case(rng, written)
    text = value_text(rng, name if known else "unknown", value, plain)
    return written + white_space(rng, plain) + b"=" + white_space(rng, plain) + text


def token(rng, pairs):
    """A token of these (name, value) pairs, in the plain style of most peers or in a wild one."""
    plain = rng.randrange(3) == 0
    if plain:
        return b", ".join(directive(rng, name, value, plain) for name, value in pairs)
    pairs = list(pairs)
    if rng.randrange(3) == 0:
        pairs += unknown_directives(rng)
    if rng.randrange(2) == 0:
        pairs = shuffled(rng, pairs)
    members = []
    for name, value in pairs:
        while rng.randrange(12) == 0:
            members.append(b"")
        members.append(white_space(rng, plain) + directive(rng, name, value, plain) + white_space(rng, plain))
    while rng.randrange(6) == 0:
        members.insert(rng.choice((0, len(members))), white_space(rng, plain))
    return b",".join(members)
