"""RC4 (as RFC 6229 has its vectors) and DES (FIPS 46-3, modes of FIPS 81), in Python alone. Slow, and plain to read."""


class Rc4:
    """A key stream; it goes on where the last message ended."""

    def __init__(self, key):
        state = list(range(256))
        j = 0
        for i in range(256):
            j = (j + state[i] + key[i % len(key)]) & 0xFF
            state[i], state[j] = state[j], state[i]
        self._state, self._i, self._j = state, 0, 0

    def apply(self, octets):
        """Encrypts, or decrypts: it is the same."""
        state, i, j = self._state, self._i, self._j
        out = bytearray()
        for octet in octets:
            i = (i + 1) & 0xFF
            j = (j + state[i]) & 0xFF
            state[i], state[j] = state[j], state[i]
            out.append(octet ^ state[(state[i] + state[j]) & 0xFF])
        self._i, self._j = i, j
        return bytes(out)

    encrypt = decrypt = apply


# The tables of FIPS 46-3. Bits are numbered from 1, the most significant first.

_INITIAL = tuple(start - 8 * i for start in (58, 60, 62, 64, 57, 59, 61, 63) for i in range(8))
_FINAL = tuple(_INITIAL.index(bit) + 1 for bit in range(1, 65))
_PERMUTATION = (
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
)  # fmt: skip
_CHOICE_1 = (
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
)  # fmt: skip
_CHOICE_2 = (
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
)  # fmt: skip
_SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
# S1 to S8, each four rows of sixteen hexadecimal digits.
_S = (
    "e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
    "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
    "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
    "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
    "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
    "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
    "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
    "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b",
)


def _pick(value, width, table):
    out = 0
    for bit in table:
        out = out << 1 | (value >> (width - bit)) & 1
    return out


def _substitutions():
    """For each S-box and six bits of input: its four bits where P puts them."""
    boxes = []
    for number, text in enumerate(_S):
        rows = [[int(digit, 16) for digit in row] for row in text.split()]
        box = []
        for six in range(64):
            four = rows[(six >> 4) & 2 | six & 1][(six >> 1) & 15]
            box.append(_pick(four << (28 - 4 * number), 32, _PERMUTATION))
        boxes.append(box)
    return boxes


_BOXES = _substitutions()


def _rounds(half, key):
    # E: the 32 bits as a ring, six at a time, the first at bit 32.
    ring = (half & 1) << 33 | half << 1 | half >> 31
    out = 0
    for number in range(8):
        six = (ring >> (28 - 4 * number)) & 63 ^ (key >> (42 - 6 * number)) & 63
        out |= _BOXES[number][six]
    return out


class Des:
    """One block at a time; the key has eight octets, whose parity bits are not looked at."""

    def __init__(self, key):
        chosen = _pick(int.from_bytes(key, "big"), 64, _CHOICE_1)
        left, right = chosen >> 28, chosen & 0xFFFFFFF
        self._keys = []
        for shift in _SHIFTS:
            left = (left << shift | left >> (28 - shift)) & 0xFFFFFFF
            right = (right << shift | right >> (28 - shift)) & 0xFFFFFFF
            self._keys.append(_pick(left << 28 | right, 56, _CHOICE_2))

    def _run(self, block, keys):
        value = _pick(int.from_bytes(block, "big"), 64, _INITIAL)
        left, right = value >> 32, value & 0xFFFFFFFF
        for key in keys:
            left, right = right, left ^ _rounds(right, key)
        return _pick(right << 32 | left, 64, _FINAL).to_bytes(8, "big")

    def encrypt_block(self, block):
        return self._run(block, self._keys)

    def decrypt_block(self, block):
        return self._run(block, reversed(self._keys))


class TripleDes:
    """Encrypt, decrypt, encrypt with three keys (two of which may be the same)."""

    def __init__(self, first, second, third):
        self._stages = Des(first), Des(second), Des(third)

    def encrypt_block(self, block):
        first, second, third = self._stages
        return third.encrypt_block(second.decrypt_block(first.encrypt_block(block)))

    def decrypt_block(self, block):
        first, second, third = self._stages
        return first.decrypt_block(second.encrypt_block(third.decrypt_block(block)))


class Cbc:
    """Cipher block chaining; the chain goes on from message to message, as if they were one."""

    def __init__(self, cipher, initial_vector):
        self._cipher, self._last = cipher, initial_vector

    def encrypt(self, octets):
        out = bytearray()
        for at in range(0, len(octets), 8):
            self._last = self._cipher.encrypt_block(_xor(octets[at : at + 8], self._last))
            out += self._last
        return bytes(out)

    def decrypt(self, octets):
        out = bytearray()
        for at in range(0, len(octets), 8):
            block = octets[at : at + 8]
            out += _xor(self._cipher.decrypt_block(block), self._last)
            self._last = block
        return bytes(out)


def _xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


def des_key(seven):
    """56 bits as eight octets: seven bits each, odd parity in the lowest."""
    bits = int.from_bytes(seven, "big")
    octets = [(bits >> (49 - 7 * number) & 0x7F) << 1 for number in range(8)]
    return bytes(octet | (octet.bit_count() + 1) & 1 for octet in octets)
