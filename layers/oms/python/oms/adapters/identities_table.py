"""Which identities are one person, in the customers table.

PERSON#<customer_id> / IDENTITY   of one that was merged, `root`: the identity that the person has
                                  kept; of a root, `links`: all merges under it. `version` goes up
                                  with every change of a root. Who has no row is nobody else.

A tree is changed with its root's row, whose version is the condition: two merges at once, or a
merge and a split, are one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.contracts import codec
from oms.domain.errors import Contended, OmsError
from oms.domain.identities import Link, NotMerged, Person, merged, split
from oms.settings import setting

IDENTITY = "IDENTITY"
ATTEMPTS = 10

Notes = Callable[
    [str, str], Sequence[Write]
]  # of the root that was kept and the one merged or split


class StalePerson(OmsError):
    """Somebody merged or split it since it was read."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Version 0: no row is kept."""

    person: Person
    version: int = 0


def no_notes(root: str, other: str) -> Sequence[Write]:  # noqa: ARG001
    return ()


class IdentitiesTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def person(self, customer_id: str) -> Person:
        """Whoever it is; an identity that nobody knows is a person of its own."""
        return self._tree(customer_id).person

    def merge(
        self, customer_id: str, other: str, *, at: datetime, by: str, notes: Notes = no_notes
    ) -> Person:
        """The person of `other` into that of the customer; they are one already: as it is."""

        def deed() -> Person:
            into, gone = self._tree(customer_id), self._tree(other)
            if into.person.root == gone.person.root:
                return into.person
            if not set(into.person.identities).isdisjoint(gone.person.identities):
                raise StalePerson(other)  # merged between the two looks
            person = merged(into.person, gone.person, at, by)
            writes = [self._root(person, into.version), self._gone(gone, person.root)]
            writes += [self._member(each, person.root) for each in gone.person.identities[1:]]
            writes += notes(person.root, gone.person.root)
            db.transact(self._client, writes)
            return person

        return self._insist(deed)

    def split(self, customer_id: str, *, notes: Notes = no_notes) -> Person:
        """The identity, as it was before it was merged. `NotMerged` where it was not."""

        def deed() -> Person:
            tree = self._tree(customer_id)
            if tree.person.root == customer_id:
                raise NotMerged(customer_id)
            left, off = split(tree.person, customer_id)
            writes = [self._root(left, tree.version), self._free(off)]
            writes += [self._member(each, off.root) for each in off.identities[1:]]
            writes += notes(left.root, customer_id)
            db.transact(self._client, writes)
            return off

        return self._insist(deed)

    def _insist(self, deed: Callable[[], Person]) -> Person:
        for attempt in range(ATTEMPTS):
            try:
                return deed()
            except StalePerson:
                time.sleep(db.full_jitter(attempt))
        raise Contended("the identities are merged and split by others all the time")

    def _tree(self, customer_id: str) -> Tree:
        """Between its row and that of its root it may have been split off: then again. The root of
        one that was merged while the person was erased is gone: it stands alone."""
        for attempt in range(ATTEMPTS):
            row = self._row(customer_id)
            if row is None or "root" not in row:
                return _tree(customer_id, row)
            root = db.text(row, "root")
            kept = self._row(root)
            if kept is None:
                return _tree(customer_id, row)
            tree = _tree(root, kept)
            if customer_id in tree.person.identities:
                return tree
            time.sleep(db.full_jitter(attempt))
        raise Contended(f"{customer_id} is merged and split by others all the time")

    def _row(self, customer_id: str) -> Item | None:
        return db.get_row(self._client, self._table, _key(customer_id))

    def _root(self, person: Person, seen: int) -> Write:
        values = {":links": db.pack(codec.encode(person.links)), ":one": db.n(1)}
        expression = "SET links = :links REMOVE root ADD version :one"
        return self._update(person.root, expression, values, seen)

    def _gone(self, tree: Tree, root: str) -> Write:
        """A root that is one no more."""
        expression = "SET root = :root REMOVE links ADD version :one"
        values = {":root": db.s(root), ":one": db.n(1)}
        return self._update(tree.person.root, expression, values, tree.version)

    def _free(self, person: Person) -> Write:
        expression = "SET links = :links REMOVE root ADD version :one"
        values = {":links": db.pack(codec.encode(person.links)), ":one": db.n(1)}
        return self._update(person.root, expression, values)

    def _member(self, customer_id: str, root: str) -> Write:
        return self._update(customer_id, "SET root = :root", {":root": db.s(root)})

    def _update(
        self, customer_id: str, expression: str, values: Item, seen: int | None = None
    ) -> Write:
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": _key(customer_id),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": values,
        }
        if seen is not None:
            condition = "version = :seen" if seen else "attribute_not_exists(version)"
            update["ConditionExpression"] = condition
            update["ExpressionAttributeValues"] = values | ({":seen": db.n(seen)} if seen else {})
        return Write({"Update": update}, lambda _: StalePerson(customer_id))


def _tree(root: str, row: Item | None) -> Tree:
    if row is None:
        return Tree(Person(root))
    if "links" not in row:
        return Tree(Person(root), db.number(row, "version") if "version" in row else 0)
    links = codec.decode(db.unpack(row["links"]), tuple[Link, ...])
    return Tree(Person(root, links), db.number(row, "version"))


def _key(customer_id: str) -> Item:
    return db.key(f"PERSON#{customer_id}", IDENTITY)


@cache
def identities_table() -> IdentitiesTable:
    return IdentitiesTable(db.client(), setting("CUSTOMERS_TABLE"))
