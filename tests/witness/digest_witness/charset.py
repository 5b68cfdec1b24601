"""ISO 8859-1 and UTF-8: on the wire, and in what is hashed (RFC 2831 2.1.2.1)."""

ISO_8859_1 = "iso-8859-1"
UTF_8 = "utf-8"


def decode(octets, charset):
    """The text, or None when the octets are none in this charset."""
    try:
        return octets.decode(charset)
    except UnicodeDecodeError:
        return None


def hash_form(text):
    """ISO 8859-1 when every character of this field fits, else UTF-8."""
    try:
        return text.encode(ISO_8859_1)
    except UnicodeEncodeError:
        return text.encode(UTF_8)


def utf8_form(text):
    """What RFC 7616 clients hash."""
    return text.encode(UTF_8)
