"""What became of each pair, what it comes to, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from oms.domain.books import Found, Proposal
from oms.domain.currencies import amount_text
from oms.domain.reconciling.entries import (
    ALONE,
    Entry,
    EntryKind,
    Ours,
    Scope,
    Stated,
    StatementKind,
)
from oms.domain.reconciling.pairs import Pair, is_alike


class Outcome(StrEnum):
    """`missing_here`: they state what we know nothing of; `missing_there`: we have done what they
    do not state; `duplicate`: it was stated before."""

    MATCHED = "matched"
    DIFFERENT = "different"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Finding:
    """`differences`: amount, currency, kind, date, status."""

    outcome: Outcome
    pair: Pair
    differences: tuple[str, ...] = ()

    @property
    def stated(self) -> int:
        return self.pair.stated.amount if self.pair.stated else 0

    @property
    def ours(self) -> int:
        """What we know of it; of amounts that are as right, the one that was stated."""
        ours = self.pair.ours
        if ours is None or self.pair.twin_of:
            return 0
        if self.pair.stated and is_alike(self.stated, ours):
            return self.stated if ours.amount is not None else 0
        return ours.amount or 0


def judged(pair: Pair, scope: Scope, stated_before: str = "") -> Finding | None:
    """None for what nobody had to state yet. `stated_before`: another statement that has told of
    our side of it."""
    if pair.stated is None:
        due = pair.ours and not stated_before and _is_asked_for(pair.ours, scope)
        return Finding(Outcome.MISSING_THERE, pair) if due else None
    if pair.ours and stated_before:
        pair = replace(pair, twin_of=stated_before)
    if pair.twin_of:
        return Finding(Outcome.DUPLICATE, pair)
    if pair.ours is None:
        return Finding(Outcome.MISSING_HERE, pair)
    assert pair.stated
    wrong = tuple(differences(pair.stated, pair.ours, scope))
    return Finding(Outcome.DIFFERENT if wrong else Outcome.MATCHED, pair, wrong)


def _is_asked_for(ours: Ours, scope: Scope) -> bool:
    """Nobody invoices a label that was voided, nor money that has not moved."""
    is_nothing = ours.is_void and ours.kind is EntryKind.PARCEL
    return scope.is_due(ours.at) and not is_nothing and ours.amount != 0


def differences(stated: Stated, ours: Ours, scope: Scope) -> Iterator[str]:
    if stated.kind is not ours.kind:
        yield "kind"
    if ours.amount is not None and stated.currency != ours.currency:
        yield "currency"
    if not is_alike(stated.amount, ours):
        yield "amount"
    if stated.on and not scope.is_within(stated.on, ours.at):
        yield "date"
    if ours.kind is EntryKind.ORDER and stated.is_void != ours.is_void:
        yield "status"
    if ours.kind is EntryKind.PARCEL and ours.is_void:
        yield "status"


@dataclass(frozen=True, slots=True)
class Sum:
    """`stated` and `ours`: minor units of the currency."""

    outcome: str
    currency: str
    count: int = 0
    stated: int = 0
    ours: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """`stated`: what the lines come to that have another side, counted as they were read; `fees`:
    what is kept, for operations and for none; `aside`: what moved beside."""

    sums: tuple[Sum, ...] = ()
    stated: tuple[Sum, ...] = ()
    fees: tuple[Sum, ...] = ()
    aside: tuple[Sum, ...] = ()

    def read(self, entry: Entry) -> Figures:
        fee, currency = entry.fee, entry.fee_currency or entry.currency
        if entry.kind is EntryKind.FEE:
            fee -= entry.amount
        kept = Sum("fees", currency, 1, fee) if fee else None
        fees = added(self.fees, kept) if kept else self.fees
        if entry.kind is EntryKind.ASIDE:
            told = Sum("aside", entry.currency, 1, entry.amount)
            return replace(self, fees=fees, aside=added(self.aside, told))
        if entry.kind in ALONE:
            return replace(self, fees=fees)
        told = Sum("stated", entry.currency, 1, entry.amount)
        return replace(self, fees=fees, stated=added(self.stated, told))

    def found(self, finding: Finding) -> Figures:
        sums = self.sums
        for each in sums_of(finding):
            sums = added(sums, each)
        return replace(self, sums=sums)

    @property
    def is_even(self) -> bool:
        """What was read is what has come out, in each currency."""
        told = {each.currency: each.stated for each in self.stated if each.stated}
        came: dict[str, int] = {}
        for each in self.sums:
            came[each.currency] = came.get(each.currency, 0) + each.stated
        return told == {currency: amount for currency, amount in came.items() if amount}

    def count(self, outcome: Outcome) -> int:
        return sum(each.count for each in self.sums if each.outcome == outcome)


NOTHING = Figures()


def sums_of(finding: Finding) -> Iterator[Sum]:
    """One; two where the sides are in different currencies."""
    stated, ours, outcome = finding.pair.stated, finding.pair.ours, finding.outcome.value
    if stated is None:
        currency = ours.currency if ours else ""
        yield Sum(outcome, currency, 1, 0, finding.ours)
    elif ours is None or ours.currency == stated.currency or finding.pair.twin_of:
        yield Sum(outcome, stated.currency, 1, finding.stated, finding.ours)
    else:
        yield Sum(outcome, stated.currency, 1, finding.stated, 0)
        if finding.ours:
            yield Sum(outcome, ours.currency, 0, 0, finding.ours)


def added(sums: tuple[Sum, ...], more: Sum) -> tuple[Sum, ...]:
    name = more.outcome, more.currency
    known = next((each for each in sums if (each.outcome, each.currency) == name), None)
    if known is None:
        return tuple(sorted((*sums, more), key=lambda each: (each.outcome, each.currency)))
    both = replace(
        known,
        count=known.count + more.count,
        stated=known.stated + more.stated,
        ours=known.ours + more.ours,
    )
    return tuple(both if each is known else each for each in sums)


def task_of(finding: Finding, scope: Scope) -> Found | None:
    """What somebody has to look at; None for what is right."""
    if finding.outcome is Outcome.MATCHED:
        return None
    return Found(
        scope.kind.value,
        f"{scope.source}:{finding.pair.subject}",
        rule_of(finding.outcome),
        finding.ours,
        finding.stated,
        proposal(finding, scope),
    )


def rule_of(outcome: Outcome) -> str:
    return f"statement_{outcome.value}"


def proposal(finding: Finding, scope: Scope) -> Proposal:
    """In words, with what they speak of as data; no command: money moves where people say so."""
    return Proposal(_WORDS[finding.outcome](finding, scope), "", dict(_data(finding, scope)))


def _data(finding: Finding, scope: Scope) -> Iterator[tuple[str, str | int]]:
    stated, ours = finding.pair.stated, finding.pair.ours
    yield "source", scope.source
    if stated:
        yield "reference", stated.reference
        yield "stated_amount", stated.amount
        yield "stated_currency", stated.currency
        yield "lines", " ".join(map(str, stated.lines[:20]))
    if ours:
        yield "order_id", ours.order_id
        yield "operation_id", ours.operation_id
        yield "our_reference", ours.reference
        yield "our_currency", ours.currency
    if ours and ours.amount is not None:
        yield "our_amount", ours.amount
    if finding.differences:
        yield "differences", " ".join(finding.differences)


def _said(stated: Stated | None) -> str:
    if stated is None:
        return ""
    return (
        f"{stated.kind.value} {stated.reference} of {amount_text(stated.amount, stated.currency)}"
    )


def _done(ours: Ours | None) -> str:
    if ours is None:
        return ""
    of = "" if ours.amount is None else f" of {amount_text(ours.amount, ours.currency)}"
    return f"{ours.kind.value} {ours.reference}{of}, order {ours.order_id}"


def _missing_here(finding: Finding, scope: Scope) -> str:
    said = _said(finding.pair.stated)
    return f"{scope.source} states a {said}, of which we know nothing: {_LOOK_HERE[scope.kind]}"


def _missing_there(finding: Finding, scope: Scope) -> str:
    done = _done(finding.pair.ours)
    return f"{scope.source} does not state our {done}: {_LOOK_THERE[scope.kind]}"


def _different(finding: Finding, scope: Scope) -> str:
    said, done = _said(finding.pair.stated), _done(finding.pair.ours)
    what = ", ".join(finding.differences)
    return (
        f"{scope.source} states a {said}, we know a {done}; another {what}: " + (_MEND[scope.kind])
    )


def _duplicate(finding: Finding, scope: Scope) -> str:
    said, twin = _said(finding.pair.stated), finding.pair.twin_of
    return f"{scope.source} states a {said} again, it was stated in {twin}: claim it back"


_WORDS = {
    Outcome.MISSING_HERE: _missing_here,
    Outcome.MISSING_THERE: _missing_there,
    Outcome.DIFFERENT: _different,
    Outcome.DUPLICATE: _duplicate,
}
_LOOK_HERE = {
    StatementKind.PAYOUTS: "look for its order at the provider, and record or repay it",
    StatementKind.CARRIER_INVOICE: "look who has shipped it, or dispute the charge",
    StatementKind.CHANNEL_ORDERS: "let the channel tell it again, or import it",
}
_LOOK_THERE = {
    StatementKind.PAYOUTS: "see at the provider what became of it",
    StatementKind.CARRIER_INVOICE: "see whether it was handed over, else void its label",
    StatementKind.CHANNEL_ORDERS: "see whether the channel has deleted it",
}
_MEND = {
    StatementKind.PAYOUTS: "correct it at the provider, or what is recorded here",
    StatementKind.CARRIER_INVOICE: "dispute the charge, or take it for the cost that it is",
    StatementKind.CHANNEL_ORDERS: "edit the order here, or correct it on the channel",
}
