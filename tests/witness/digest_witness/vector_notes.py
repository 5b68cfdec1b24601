"""The flags of spec/vectors: what each says of its vectors, which kind of mistake they find, where to read on."""

_RFC = "https://www.rfc-editor.org/rfc/"
_2617 = _RFC + "rfc2617#section-"
_2831 = _RFC + "rfc2831#section-"
_BINDINGS = "https://datatracker.ietf.org/doc/html/draft-santesson-digestbind-01"
_MS_DPSP = "https://learn.microsoft.com/openspecs/windows_protocols/ms-dpsp/"


def _note(bug, description, *links):
    return {"bug": bug, "description": description, "links": list(links)}


NOTES = {
    # Anything
    "Ordinary": _note("BASIC", "What most peers send.", _2617 + "3.2", _2831 + "2.1"),
    "Published": _note("BASIC", "A document prints this value.", _2617 + "3.5", _RFC + "rfc7616#section-3.9.1", _2831 + "4"),
    "Captured": _note("INTEROPERABILITY", "A program of others wrote this; the source names it."),
    "WrongValue": _note(
        "MISSING_CHECK", "One digit of the proof, or one of the values it covers, is another one.", _2617 + "3.2.2.1"
    ),
    "CaseOfDigits": _note(
        "INTEROPERABILITY",
        "Hexadecimal digits in upper case. A proof is compared as a number, a nonce count is hashed as it was sent.",
        _2617 + "3.2.2",
    ),
    "CaseOfQop": _note(
        "WRONG_CONSTRUCTION", "qop in capitals: it is recognised, and hashed as it was sent.", _2831 + "2.1.2.1"
    ),
    "EmptyValue": _note("EDGE_CASE", "A value that may be empty is.", _2617 + "3.2.2.2"),
    "Charset": _note(
        "WRONG_CONSTRUCTION",
        "Field by field: hashed in ISO 8859-1 if every character fits, else in UTF-8.",
        _2831 + "2.1.2.1",
        _2831 + "8",
    ),
    "CharsetLeftOut": _note(
        "INTEROPERABILITY",
        "The username is sent in UTF-8 without charset=utf-8, so that it reads as another name; the proof is of the right one.",
        _2831 + "2.1.2",
    ),
    "Utf8Form": _note(
        "INTEROPERABILITY",
        "Hashed in UTF-8 although ISO 8859-1 would do, as RFC 7616 has it. HTTP acceptors take it, SASL ones do not.",
        _RFC + "rfc7616#section-4",
        _2831 + "2.1.2.1",
    ),
    "MixedForms": _note(
        "MISSING_CHECK", "One field hashed in UTF-8, another in ISO 8859-1, where both fit: neither form.", _2831 + "2.1.2.1"
    ),
    "ReflectedProof": _note(
        "MISSING_CHECK", "The client's own response instead of the server's proof: A2 has no method there.",
        _2617 + "3.2.3", _2831 + "2.1.3",
    ),
    # What is hashed
    "Rfc2069Form": _note("INTEROPERABILITY", "No qop: the form of RFC 2069, without nc and cnonce.", _2617 + "3.2.2.1"),
    "Md5Sess": _note("WRONG_CONSTRUCTION", "A1 is made of the user hash in hexadecimal, the nonce and the cnonce.",
                     _2617 + "3.2.2.2", "https://www.rfc-editor.org/errata/rfc2617"),
    "RawMd5Sess": _note(
        "WRONG_CONSTRUCTION",
        "A1 made of the 16 octets of the user hash, as RFC 2617's sample code does for HTTP and RFC 2831 rightly for SASL.",
        _2617 + "5", _2831 + "2.1.2.1",
    ),
    "HexUserHash": _note(
        "WRONG_CONSTRUCTION", "A1 made of the user hash in hexadecimal, which is right for HTTP only.", _2831 + "2.1.2.1"
    ),
    "AuthInt": _note("WRONG_CONSTRUCTION", "A2 covers the hash of the body; an empty body has a hash, too.", _2617 + "3.2.2.3"),
    "ZerosInA2": _note(
        "WRONG_CONSTRUCTION", "Under auth-int and auth-conf A2 ends in a colon and 32 zeros, whatever is sent.",
        _2831 + "2.1.2.1",
    ),
    "Authzid": _note("WRONG_CONSTRUCTION", "A1 ends in the authzid, always in UTF-8.", _2831 + "2.1.2.1"),
    "NoAuthzid": _note("WRONG_CONSTRUCTION", "The token has an authzid, and A1 was made without it.", _2831 + "2.1.2.1"),
    # Tokens
    "WhiteSpace": _note("LENIENT_PARSER", "LWS, folded lines among it, where the grammar allows it.", _RFC + "rfc2616#section-2.2"),
    "EmptyMembers": _note("EDGE_CASE", "Commas without a directive between them count for nothing.", _RFC + "rfc2616#section-2.1"),
    "BareOrQuoted": _note("INTEROPERABILITY", "Quoted where peers leave it bare, or the reverse.", _2617 + "3.2.2"),
    "Escapes": _note("WRONG_CONSTRUCTION", "Quoted pairs: the unescaped value is hashed.", _RFC + "rfc2616#section-2.2"),
    "DomainBackslash": _note(
        "INTEROPERABILITY", "The backslash of DOMAIN\\user in a username is read as a badly escaped pair.", _MS_DPSP
    ),
    "UnescapedQuote": _note(
        "INTEROPERABILITY", "A quote inside a quoted string without a backslash, as some peers send it.",
        _RFC + "rfc2616#section-2.2",
    ),
    "UnknownDirective": _note("LENIENT_PARSER", "Directives nobody knows are ignored and may repeat.", _2617 + "3.2.2"),
    "NotOfSasl": _note("LENIENT_PARSER", "A directive of HTTP that SASL has not: unknown there.", _2831 + "2.1.1"),
    "SyntaxError": _note("LENIENT_PARSER", "The grammar is broken at that position.", _RFC + "rfc2616#section-2.2"),
    "Repeated": _note("MISSING_CHECK", "A known directive for the second time, whatever its value.", _2831 + "2.1.2"),
    "InvalidValue": _note("MISSING_CHECK", "A known directive whose value is none of those it may have.", _2617 + "3.2.2"),
    "Missing": _note("MISSING_CHECK", "A directive is missing that an answer needs.", _2617 + "3.2.2", _2831 + "2.1.2"),
    "FirstOffence": _note("EDGE_CASE", "Several offences: the first from the left is named, missing ones last."),
    "NotInCharset": _note("MISSING_CHECK", "Octets that are no UTF-8 where they have to be.", _2831 + "2.1.1"),
    "Length": _note("MISSING_CHECK", "As long as may be, or one more.", _2831 + "2.1.1"),
    "Lists": _note("LENIENT_PARSER", "A list inside a quoted string: white space, empty and unknown members.", _2831 + "2.1.1"),
    "SeveralRealms": _note("LENIENT_PARSER", "realm may repeat in a challenge of SASL, and only there.", _2831 + "2.1.1"),
    "Maxbuf": _note("MISSING_CHECK", "maxbuf from 17 to 16777215, in digits; leading zeros are no matter.", _2831 + "2.1.1"),
    "Stale": _note("LENIENT_PARSER", "stale is true or anything else, which means false.", _2617 + "3.2.1"),
    # Layers
    "ManyMessages": _note(
        "WRONG_CONSTRUCTION",
        "Several messages in one direction: numbers count up, the key stream or the CBC chain goes on.",
        _2831 + "2.4",
    ),
    "BlockBoundary": _note(
        "WRONG_CONSTRUCTION", "Message lengths around a block: one to eight octets of padding, never none.", _2831 + "2.4"
    ),
    "SignatureOnly": _note(
        "EDGE_CASE", "Signatures and wrapped messages of one direction share the numbers; a signature moves no cipher.",
        _2831 + "2.3",
    ),
    "Directions": _note("WRONG_CONSTRUCTION", "Each direction has its own keys and numbers.", _2831 + "2.3", _2831 + "2.4"),
    "Truncated": _note("MISSING_CHECK", "Shorter than any protected message, or cut.", _2831 + "2.3"),
    "AlteredMac": _note("MISSING_CHECK", "The MAC is not the one of this message.", _2831 + "2.3"),
    "AlteredMessage": _note("MISSING_CHECK", "The message is not the one that was protected.", _2831 + "2.3"),
    "AlteredNumber": _note(
        "MISSING_CHECK",
        "Another number under the same MAC. auth-int: the MAC covers it; auth-conf: judged before anything is decrypted.",
        _2831 + "2.3", _2831 + "2.4",
    ),
    "MessageType": _note("MISSING_CHECK", "The type is not 1.", _2831 + "2.3"),
    "Replayed": _note("MISSING_CHECK", "A message for the second time.", _2831 + "2.3"),
    "Reordered": _note("MISSING_CHECK", "A message before one that was sent earlier; in order all are delivered.", _2831 + "2.3"),
    "Padding": _note("MISSING_CHECK", "A wrong padding under a right MAC looks like a wrong MAC.", _2831 + "2.4"),
    "NotWholeBlocks": _note("MISSING_CHECK", "What is enciphered is not a multiple of eight octets.", _2831 + "2.4"),
    "DeadDirection": _note(
        "EDGE_CASE",
        "After an altered message the cipher's state is lost: nothing more is delivered in this direction.",
        _2831 + "2.4",
    ),
    "Recovers": _note("EDGE_CASE", "A refused message took no state with it; the right one is still delivered.", _2831 + "2.3"),
    # Extended protection
    "NoAddresses": _note("BASIC", "Application data alone, as for TLS.", _RFC + "rfc5929"),
    "Addresses": _note("EDGE_CASE", "Addresses with their types and lengths; all of it is hashed.", _BINDINGS),
    "UnusedOffset": _note("MISSING_CHECK", "A length of zero: its offset means nothing, wherever it points."),
    "OutsideOfBuffer": _note("MISSING_CHECK", "A part begins or ends outside of the buffer."),
    "ShortStructure": _note("MISSING_CHECK", "Not even the eight integers."),
    "BoundResponse": _note("BASIC", "hashed-dirs, service-name and channel-binding, covered by the cnonce.", _BINDINGS),
    "ZeroHash": _note("MISSING_CHECK", "32 zeros: the client knew of no channel. They are compared like any value.", _BINDINGS),
    "AnotherChannel": _note("MISSING_CHECK", "The response is bound to another channel.", _BINDINGS),
    "NotCovered": _note("MISSING_CHECK", "The cnonce does not cover the directives.", _BINDINGS),
    "PartlyThere": _note("MISSING_CHECK", "Some of what belongs together is missing.", _BINDINGS),
    "NotThere": _note("BASIC", "No extended protection; the policy decides.", _BINDINGS),
    "Prefix": _note("MISSING_CHECK", "Only a nonce with this very prefix asks for extended protection.", _BINDINGS),
}
