"""The lists of directives every Digest token is made of (RFC 2617 1.2, RFC 2616 2.1 and 2.2).

    token     = #( directive )            empty members allowed
    directive = name *LWS "=" *LWS value
    value     = quoted-string | 1*bare
    LWS       = [CRLF] 1*( SP | HT )
"""

import re
from dataclasses import dataclass

TOKEN_BYTES = 8192
DIRECTIVES = 64

_LWS = re.compile(rb"(?:[ \t]|\r\n[ \t])*")
_EMPTY_MEMBERS = re.compile(rb"(?:[ \t,]|\r\n[ \t])*")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BARE = re.compile(rb"[\x21\x23-\x2b\x2d-\x7e\x80-\xff]+")
_QUOTED = re.compile(
    rb"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]+|\\[\t\x20-\x7e\x80-\xff]|\r\n[ \t])*"
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_QUOTED_PAIR_OF_USERNAME = re.compile(rb'\\([\\"])')

_EQUALS, _COMMA, _QUOTE = b'=,"'


class Offence(Exception):
    """What is wrong with a token: a verdict of the protocol, and where."""

    def __init__(self, verdict, position=None):
        super().__init__(verdict, position)
        self.verdict = verdict
        self.position = position


def syntax(position):
    return Offence("syntax", position)


@dataclass(frozen=True)
class Directive:
    name: bytes
    name_at: int
    raw: bytes  # what stands between the quotes, or the bare value
    value_at: int  # offset of the first octet of `raw`
    quoted: bool

    def key(self):
        """The name as it is matched: ignoring the case of ASCII letters."""
        return self.name.lower().decode("ascii")

    def value(self):
        """The value without quotes and escapes; a bare value has no escapes."""
        return _QUOTED_PAIR.sub(rb"\1", self.raw) if self.quoted else self.raw

    def username_value(self):
        r"""The value, where `DOMAIN\user` is read as a badly escaped `DOMAIN\\user`."""
        return _QUOTED_PAIR_OF_USERNAME.sub(rb"\1", self.raw) if self.quoted else self.raw


def scan(token):
    """Yields the directives from left to right; raises a syntax `Offence` when it gets to one.

    A directive is yielded as soon as its value has ended, so an offence of its meaning comes before
    junk behind it, but after any syntax error inside it.
    """
    if len(token) > TOKEN_BYTES:
        raise syntax(TOKEN_BYTES)
    end = len(token)
    at = _EMPTY_MEMBERS.match(token).end()
    count = 0
    while at < end:
        name = _NAME.match(token, at)
        if name is None:
            raise syntax(at)
        count += 1
        if count > DIRECTIVES:
            raise syntax(at)
        at = _LWS.match(token, name.end()).end()
        if at == end or token[at] != _EQUALS:
            raise syntax(at)
        at = _LWS.match(token, at + 1).end()
        quoted = at < end and token[at] == _QUOTE
        if quoted:
            value_at = at + 1
            value_end = _quoted_end(token, value_at)
            at = value_end + 1
        else:
            value_at = at
            bare = _BARE.match(token, at)
            if bare is None:
                raise syntax(at)
            at = value_end = bare.end()
        yield Directive(name.group(), name.start(), token[value_at:value_end], value_at, quoted)
        at = _LWS.match(token, at).end()
        if at < end and token[at] != _COMMA:
            raise syntax(at)
        at = _EMPTY_MEMBERS.match(token, at).end()


def _quoted_end(token, start):
    """The offset of the closing quote.

    A string that never ends is reported where it begins: the end of the input would not say which one.
    """
    at = _QUOTED.match(token, start).end()
    if token[at : at + 1] == b'"':
        return at
    if token[at : at + 1] == b"\\":
        at += 1
    raise syntax(at if at < len(token) else start - 1)
