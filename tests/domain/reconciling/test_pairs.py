"""Lines beside operations: one with one, whatever the order in which they come."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.reconciling.entries import Entry, EntryKind, Ours, Scope, StatementKind
from oms.domain.reconciling.judging import Figures, Finding, Outcome, judged
from oms.domain.reconciling.pairs import Pair, key_of, placed, prefix_of

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
SCOPE = Scope(
    StatementKind.PAYOUTS, "stripe", date(2026, 3, 1), date(2026, 3, 31), tolerance=5, look_back=60
)
REFERENCES = st.sampled_from(["a", "b", "c"])
KINDS = st.sampled_from([EntryKind.CAPTURE, EntryKind.REFUND])
AMOUNTS = st.sampled_from([100, 200, -100])
CURRENCIES = st.sampled_from(["EUR", "JPY"])


def ours(reference: str = "a", number: int = 1, amount: int | None = 100, **more: object) -> Ours:
    said = {"kind": EntryKind.CAPTURE, "currency": "EUR", "at": AT, **more}
    return Ours(
        reference=reference,
        order_id=f"ord_{number}",
        operation_id="op_2",
        amount=amount,
        **said,  # type: ignore[arg-type]
    )


def entry(line: int = 2, reference: str = "a", amount: int = 100, **more: object) -> Entry:
    said = {"kind": EntryKind.CAPTURE, "currency": "EUR", "on": date(2026, 3, 11), **more}
    return Entry(line=line, amount=amount, references=(reference,), **said)  # type: ignore[arg-type]


operations = st.lists(
    st.builds(ours, REFERENCES, st.integers(1, 9), AMOUNTS, kind=KINDS, currency=CURRENCIES),
    unique_by=lambda each: each.subject,
    max_size=6,
)
lines = st.lists(
    st.builds(
        entry,
        st.just(0),
        REFERENCES,
        AMOUNTS,
        kind=KINDS,
        currency=CURRENCIES,
        identity=st.sampled_from(["", "", "x", "y"]),
        is_part=st.booleans(),
    ),
    max_size=12,
)


def paired(known: list[Ours], told: list[Entry]) -> dict[str, Pair]:
    """As the job does it, with all of its rows in memory."""
    pairs = {key_of(each): Pair(key_of(each), each) for each in known}
    for each in told:
        among = [
            pair
            for key, pair in pairs.items()
            if key.startswith(prefix_of(each.kind, each.reference))
        ]
        others = [
            pair
            for pair in pairs.values()
            if pair.ours and pair.ours.reference == each.reference and pair.ours.kind != each.kind
        ]
        placed_in = placed(each, among, others)
        pairs[placed_in.key] = placed_in
    return pairs


def numbered(told: list[Entry]) -> list[Entry]:
    return [replace(each, line=number) for number, each in enumerate(told, 2)]


@given(operations, lines)
def test_every_line_is_with_one_pair_and_every_operation_too(
    known: list[Ours], told: list[Entry]
) -> None:
    pairs = paired(known, numbered(told)).values()

    stated = Counter(line for pair in pairs if pair.stated for line in pair.stated.lines)
    assert stated == Counter(each.line for each in numbered(told))
    subjects = Counter(pair.ours.subject for pair in pairs if pair.ours)
    assert subjects == Counter(each.subject for each in known)


@given(operations, lines)
def test_an_operation_is_stated_by_one_line_that_is_no_part(
    known: list[Ours], told: list[Entry]
) -> None:
    whole = {each.line for each in numbered(told) if not each.is_part}

    for pair in paired(known, numbered(told)).values():
        if pair.stated:
            assert len(whole.intersection(pair.stated.lines)) <= 1


@given(operations, lines)
def test_the_outcomes_add_up_to_what_was_read_and_to_what_we_know(
    known: list[Ours], told: list[Entry]
) -> None:
    figures = Figures()
    for each in numbered(told):
        figures = figures.read(each)
    judgements = [judged(pair, SCOPE) for pair in paired(known, numbered(told)).values()]
    findings = [each for each in judgements if each]
    for finding in findings:
        figures = figures.found(finding)

    assert figures.is_even
    stated = Counter[str]()
    for told_sum in figures.sums:
        stated[told_sum.currency] += told_sum.stated
    for currency in ("EUR", "JPY"):
        assert stated[currency] == sum(e.amount for e in told if e.currency == currency)
    here = [each for each in findings if each.pair.ours and each.outcome is not Outcome.DUPLICATE]
    assert sum(each.ours for each in here) == sum(each.amount or 0 for each in known)
    assert len(findings) == sum(each.count for each in figures.sums)


@given(operations, lines)
def test_only_what_agrees_in_all_is_matched(known: list[Ours], told: list[Entry]) -> None:
    for pair in paired(known, numbered(told)).values():
        finding = judged(pair, SCOPE)
        if finding and finding.outcome is Outcome.MATCHED:
            assert pair.stated
            assert pair.ours
            assert (pair.stated.amount, pair.stated.currency, pair.stated.kind) == (
                pair.ours.amount,
                pair.ours.currency,
                pair.ours.kind,
            )


@given(operations, lines)
def test_a_file_that_is_told_twice_over_finds_no_more_of_ours(
    known: list[Ours], told: list[Entry]
) -> None:
    def stated(pairs: dict[str, Pair]) -> set[str]:
        return {pair.ours.subject for pair in pairs.values() if pair.ours and pair.stated}

    once = [replace(each, identity=f"id_{each.line}", is_part=False) for each in numbered(told)]
    twice = [*once, *(replace(each, line=each.line + 100) for each in once)]
    pairs = paired(known, twice)
    assert stated(pairs) == stated(paired(known, once))
    assert sum(bool(pair.twin_of) for pair in pairs.values()) >= len(once)


def test_of_two_operations_of_one_reference_the_one_of_the_amount_is_meant() -> None:
    known = [ours("a", 1, 100), ours("a", 2, 250)]

    pairs = paired(known, [entry(2, "a", 250)])

    (stated,) = (pair for pair in pairs.values() if pair.stated)
    assert stated.ours == known[1]


def test_what_was_reversed_of_a_capture_is_a_part_of_it_in_either_order() -> None:
    whole = entry(2, "a", 250, identity="txn_1")
    reversed_part = entry(3, "a", -150, identity="txn_2", is_part=True)

    for told in ([whole, reversed_part], [reversed_part, whole]):
        (pair,) = paired([ours("a", 1, 100)], told).values()
        assert pair.stated
        assert (pair.stated.amount, set(pair.stated.lines)) == (100, {2, 3})


def test_a_refund_that_they_call_a_payment_is_another_kind() -> None:
    (pair,) = paired([ours("re_1", 1, -100, kind=EntryKind.REFUND)], [entry(2, "re_1")]).values()

    finding = judged(pair, SCOPE)
    assert finding
    assert finding.differences == ("kind", "amount")


def test_a_charge_of_a_parcel_whose_cost_nobody_knows_is_matched_and_counts_for_us_nothing() -> (
    None
):
    parcel = ours("1Z1", 1, None, kind=EntryKind.PARCEL)
    (pair,) = paired([parcel], [entry(2, "1Z1", 899, kind=EntryKind.PARCEL)]).values()

    finding = judged(pair, SCOPE)
    assert finding == Finding(Outcome.MATCHED, pair)
    assert (finding.stated, finding.ours) == (899, 0)


def test_an_order_may_be_stated_with_or_without_its_cancelled_units() -> None:
    order = ours("7", 1, 300, kind=EntryKind.ORDER, also=200)
    for amount in (300, 200):
        (pair,) = paired([order], [entry(2, "7", amount, kind=EntryKind.ORDER)]).values()
        finding = judged(pair, SCOPE)
        assert finding
        assert (finding.outcome, finding.ours) == (Outcome.MATCHED, amount)


def test_a_label_that_was_voided_is_neither_missing_nor_to_be_charged() -> None:
    label = ours("1Z1", 1, 500, kind=EntryKind.PARCEL, is_void=True)

    assert judged(Pair("k", label), SCOPE) is None
    (pair,) = paired([label], [entry(2, "1Z1", 500, kind=EntryKind.PARCEL)]).values()
    finding = judged(pair, SCOPE)
    assert finding
    assert finding.differences == ("status",)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), st.integers(0, 30))  # noqa: DTZ001
def test_consecutive_statements_ask_for_each_operation_once(naive: datetime, late: int) -> None:
    at = naive.replace(tzinfo=UTC)
    days = [date(2024, 6, 1), *(date(y, m, 1) for y in (2025, 2026, 2027) for m in (1, 4, 7, 10))]
    asked = 0
    for first, following in zip(days, [*days[1:], date(2028, 1, 1)], strict=True):
        last = date.fromordinal(following.toordinal() - 1)
        scope = Scope(StatementKind.PAYOUTS, "stripe", first, last, tolerance=late)
        asked += judged(Pair("k", ours(at=at)), scope) is not None
    assert asked == 1
