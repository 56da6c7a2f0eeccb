"""A tree of keys that any one key can be taken out of for good, while all others stay.

Each key is a leaf of a binary tree; a node's seed makes those of its children, one way only. What
is kept are the seeds of the highest nodes that have nothing destroyed below them: at first the
root's alone. To destroy a leaf, the seed above it is replaced by those of the branches beside the
way down to it. Whoever has what is left makes every other key, and this one never again. (A
puncturable pseudorandom function after Goldreich, Goldwasser and Micali.)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

DEPTH = 56  # so many people are needed for two to share a leaf: 2 ** 28
ROOT = ""

Seeds = Mapping[str, bytes]


def leaf(name: str, generation: int) -> str:
    """Its way down from the root, in bits. A name whose leaf is gone has others."""
    digest = hashlib.sha256(f"{name}\x1f{generation}".encode()).digest()
    return f"{int.from_bytes(digest[: DEPTH // 8], 'big'):0{DEPTH}b}"


def key_at(seeds: Seeds, place: str) -> bytes | None:
    """The seed of a node; None where it is destroyed, or is not made from these seeds."""
    above = _above(seeds, place)
    return None if above is None else _down(seeds[above], place[len(above) :])


def without(seeds: Seeds, place: str) -> dict[str, bytes]:
    """What makes all that these seeds make, but for what is at the node and below it."""
    left, above = dict(seeds), _above(seeds, place)
    if above is None:
        return left
    seed = left.pop(above)
    for depth in range(len(above), len(place)):
        bit, beside = place[depth], "10"[int(place[depth])]
        left[place[:depth] + beside] = _child(seed, beside)
        seed = _child(seed, bit)
    return left


def _above(seeds: Seeds, place: str) -> str | None:
    ways = (place[:depth] for depth in range(len(place) + 1))
    return next((way for way in ways if way in seeds), None)


def _down(seed: bytes, way: str) -> bytes:
    for bit in way:
        seed = _child(seed, bit)
    return seed


def _child(seed: bytes, bit: str) -> bytes:
    return hmac.digest(seed, bit.encode(), "sha256")
