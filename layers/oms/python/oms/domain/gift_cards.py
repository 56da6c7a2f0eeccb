"""The code of a gift card: 90 bits that nobody guesses, and a check of what was mistyped.

Base 32 of Crockford, in groups of four: no I, L, O and U; small letters and the usual confusions
are read as what was meant.
"""

from __future__ import annotations

import re

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SECRET_BITS, CHECK_BITS = 90, 10
LENGTH = (SECRET_BITS + CHECK_BITS) // 5
PRIME = 1021  # the largest below 2^10: one wrong letter, and two that changed places, are noticed
MEANT = str.maketrans("OIL", "011", "- ")


def code_of(seed: bytes) -> str:
    """The code that a seed of at least 12 random bytes stands for."""
    secret = int.from_bytes(seed[:12], "big") >> (96 - SECRET_BITS)
    number = secret << CHECK_BITS | secret % PRIME
    letters = "".join(LETTERS[number >> 5 * place & 31] for place in reversed(range(LENGTH)))
    return "-".join(re.findall("....", letters))


def read_code(said: str) -> str:
    """The letters of a code as somebody wrote it; empty where it can be none."""
    letters = said.upper().translate(MEANT)
    if len(letters) != LENGTH or not set(letters) <= set(LETTERS):
        return ""
    number = 0
    for letter in letters:
        number = number << 5 | LETTERS.index(letter)
    return letters if (number >> CHECK_BITS) % PRIME == number % 2**CHECK_BITS else ""
