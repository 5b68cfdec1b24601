"""Values headers are made of: what real peers send, and what only the grammar allows."""

METHODS = (b"GET", b"POST", b"HEAD", b"OPTIONS", b"M-SEARCH", b"get", b"PROPFIND")
URIS = (
    b"/",
    b"*",
    b"/dir/index.html",
    b"/a,b?c=d,e",
    b'/say?"hello"',
    b"/back\\slash",
    b"http://www.nowhere.org/dir/index.html",
    b"/%E2%82%AC?x=1&y==",
    b"www.nowhere.org:443",
    b"/caf\xc3\xa9",
    b"/sp ace\ttab",
)
LATIN_USERNAMES = ("J\u00e4s\u00f8n Doe", "Fran\u00e7ois", "\u00ff\u00a0", "caf\u00e9\\\u00e9l\u00e8ve")
ASCII_USERNAMES = (
    "Mufasa",
    "DOMAIN\\user",
    "a\\b\\c",
    'with "quotes"',
    "user@example.com",
    "o'brien, pat",
    "ends in \\",
    "twice \\\\ there",
    "",
    "x=y",
)
WIDE_USERNAMES = ("\u0416\u0438\u0432\u0430\u0433\u043e", "\u20ac uro", "\U0001f511", "e\u0301", "\u65e5\u672c\\\u8a9e")
ASCII_PASSWORDS = ("Circle Of Life", "", 'p"a\\ss:word', "secret")
LATIN_PASSWORDS = ("Stra\u00dfe", "\u00e9\u00e8", "\u00bfqu\u00e9?")
WIDE_PASSWORDS = ("\u03c0\u03b1\u03c3\u03c3", "\u20ac100", "\U0001f600")
ASCII_REALMS = ("testrealm@host.com", "", "a realm, with comma", 'the "inner" realm', "back\\slash", "folded\r\n line")
LATIN_REALMS = ("S\u00fcd", "\u00e0 la carte")
WIDE_REALMS = ("\u0440\u0435\u0430\u043b\u043c", "\u20ac")
ENTITY_BODIES = (b"", b"hello", b"\x00\xff" * 40)

_PRINTABLE = bytes(range(0x20, 0x7F))
_HEX = b"0123456789abcdef"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def octets(rng, alphabet, length):
    return bytes(rng.choice(alphabet) for _ in range(length))


def opaque_text(rng):
    """A nonce, cnonce or opaque: whatever its maker likes."""
    kind = rng.randrange(10)
    if kind < 4:
        return octets(rng, _HEX, 32)
    if kind < 7:
        return octets(rng, _BASE64, rng.randrange(1, 45)) + b"=="
    if kind < 9:
        return octets(rng, _PRINTABLE, rng.randrange(1, 24))
    return rng.choice((b"", b'"', b"\\", b",", b"\x80\xff", b"tab\there", b"fold\r\n ed", b"+Upgraded+v1abc"))


def count(rng):
    value = rng.choice((1, 1, 1, 2, 0, 0xFFFFFFFF, rng.randrange(1 << 32)))
    text = b"%08x" % value
    return text.upper() if rng.randrange(4) == 0 else text


def username(rng, charset_utf8):
    choices = ASCII_USERNAMES + LATIN_USERNAMES
    return rng.choice(choices + WIDE_USERNAMES if charset_utf8 else choices)


def realm(rng, charset_utf8):
    choices = ASCII_REALMS + LATIN_REALMS
    return rng.choice(choices + WIDE_REALMS if charset_utf8 else choices)


def password(rng):
    return rng.choice(ASCII_PASSWORDS + LATIN_PASSWORDS + WIDE_PASSWORDS)


def any_case(rng, octets_in):
    """The same word, its ASCII letters in some case."""
    style = rng.randrange(4)
    if style == 0:
        return octets_in.upper()
    if style == 1:
        return bytes(rng.choice((bytes([o]).upper(), bytes([o]).lower()))[0] for o in octets_in)
    return octets_in
