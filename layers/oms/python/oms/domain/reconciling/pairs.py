"""Each line with exactly one operation of ours: never two with one, nor one with two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from oms.domain.reconciling.entries import Entry, Ours, Stated


@dataclass(frozen=True, slots=True)
class Pair:
    """One of them is there at least. `twin_of`: where it was stated before."""

    key: str
    ours: Ours | None = None
    stated: Stated | None = None
    twin_of: str = ""

    @property
    def is_free(self) -> bool:
        """Nobody has stated it yet."""
        return self.ours is not None and self.stated is None

    @property
    def subject(self) -> str:
        """Its name, the same in every statement; a line that is too much has one of its own."""
        if self.ours and not self.twin_of:
            return self.ours.subject
        stated = self.stated
        identity = stated.identities[0] if stated and stated.identities else ""
        return f"{self.key}/{identity}" if self.twin_of else self.key


def prefix_of(kind: str, reference: str) -> str:
    return f"{kind}#{reference}#"


def key_of(ours: Ours) -> str:
    return f"{prefix_of(ours.kind, ours.reference)}{ours.order_id}#{ours.operation_id}"


def placed(
    entry: Entry,
    among: Sequence[Pair],
    others: Sequence[Pair] = (),
    alone: Sequence[Pair] | None = None,
) -> Pair:
    """The pair that the line belongs to, with the line in it.

    `among`: what has its reference, or is of its order; `others`: has its reference and is of
    another kind; `alone`: what is there under the line's own name, where that is not `among`.
    """
    known = among if alone is None else alone
    if twin := _repeated(entry, (*among, *others, *known)):
        return _twin(entry, twin, known)
    if whole := _with_its_parts(entry, among):
        return replace(whole, stated=_joined(whole.stated, entry))
    if free := _best(entry, among) or _best(entry, others):
        return replace(free, stated=Stated.of(entry))
    if taken := _taken(entry, (*among, *others)):
        return _twin(entry, taken, known)
    return Pair(_new_key(entry, known), stated=Stated.of(entry))


def _taken(entry: Entry, among: Iterable[Pair]) -> Pair | None:
    """What another line of this kind has told of."""
    for each in among:
        if each.stated and not each.twin_of and each.stated.kind is entry.kind:
            return each
    return None


def _repeated(entry: Entry, among: Iterable[Pair]) -> Pair | None:
    """The same line was there before."""
    if not entry.identity:
        return None
    return next(
        (each for each in among if each.stated and entry.identity in each.stated.identities), None
    )


def _with_its_parts(entry: Entry, among: Iterable[Pair]) -> Pair | None:
    """What other lines have told a part of, in the same currency."""
    for each in among:
        stated = each.stated
        if stated is None or each.twin_of or stated.currency != entry.currency:
            continue
        if entry.is_part or not stated.is_whole:
            return each
    return None


def _best(entry: Entry, among: Iterable[Pair]) -> Pair | None:
    """One that nobody has stated, of the same amount where there is one."""
    free = [each for each in among if each.is_free]
    alike = (each for each in free if each.ours and is_alike(entry.amount, each.ours))
    return next(alike, free[0] if free else None)


def is_alike(amount: int, ours: Ours) -> bool:
    return ours.amount is None or amount in (ours.amount, ours.also)


def _joined(stated: Stated | None, entry: Entry) -> Stated:
    if stated is None:
        return Stated.of(entry)
    told = Stated.of(entry)
    return replace(
        stated if entry.is_part else told,
        amount=stated.amount + entry.amount,
        lines=(*stated.lines, entry.line),
        identities=(*stated.identities, *told.identities),
        order=stated.order or entry.order,
        fee=stated.fee + entry.fee,
        fee_currency=stated.fee_currency or entry.fee_currency,
        on=max(filter(None, (stated.on, entry.on)), default=None),
        is_whole=stated.is_whole or told.is_whole,
    )


def _twin(entry: Entry, first: Pair, known: Sequence[Pair]) -> Pair:
    return Pair(_new_key(entry, known), stated=Stated.of(entry), twin_of=first.key)


def _new_key(entry: Entry, known: Sequence[Pair]) -> str:
    """Of a line that is with nothing of ours. Lines are told apart by how many there are of the
    reference, so that the same line has the same key in a corrected file."""
    prefix = prefix_of(entry.kind, entry.reference)
    keys = {each.key for each in known}
    number = 0
    while f"{prefix}~{number}" in keys:
        number += 1
    return f"{prefix}~{number}"
