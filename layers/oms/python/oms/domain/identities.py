"""Identities of one person: a forest, whose trees are persons. Merging hangs one root under
another, splitting takes an identity off again with whatever was merged into it before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.errors import Refused

MAX_IDENTITIES = 25


class TooManyIdentities(Refused):
    def __init__(self, count: int) -> None:
        super().__init__(
            f"they would be {count} identities; at most {MAX_IDENTITIES} are one person"
        )


class NotMerged(Refused):
    def __init__(self, identity: str) -> None:
        super().__init__(f"{identity} is merged into no other customer")


@dataclass(frozen=True, slots=True)
class Link:
    """`child` was a root when it was merged into `parent`, which was another one."""

    child: str
    parent: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Person:
    """A tree, by its root; links in the order in which each side was merged."""

    root: str
    links: tuple[Link, ...] = ()

    @property
    def identities(self) -> tuple[str, ...]:
        """The root first."""
        return (self.root, *(link.child for link in self.links))


def merged(person: Person, other: Person, at: datetime, by: str) -> Person:
    """`other` under the root of `person`, which stays it; the same person is as it was."""
    if other.root == person.root:
        return person
    if (count := len(person.links) + len(other.links) + 2) > MAX_IDENTITIES:
        raise TooManyIdentities(count)
    return Person(person.root, (*person.links, *other.links, Link(other.root, person.root, at, by)))


def split(person: Person, identity: str) -> tuple[Person, Person]:
    """What is left, and the identity as it was before it was merged, with those under it."""
    if identity not in {link.child for link in person.links}:
        raise NotMerged(identity)
    off = _under(person, identity)
    left = tuple(x for x in person.links if x.child not in off)
    own = tuple(x for x in person.links if x.child in off and x.child != identity)
    return Person(person.root, left), Person(identity, own)


def _under(person: Person, identity: str) -> set[str]:
    """The identity and all whose way to the root leads over it."""
    found, grown = {identity}, True
    while grown:
        more = {x.child for x in person.links if x.parent in found} - found
        found, grown = found | more, bool(more)
    return found
