"""What is proposed for each kind of difference: a command that mends it, or words for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oms.domain.books.difference import Difference
from oms.domain.books.outbox import TOLD
from oms.domain.books.tasks import Found, Proposal
from oms.domain.books.workflow import ATTENDED

ORDER, STOCK, RESERVATION = "order", "stock", "reservation"
CREDIT, OUTBOX, WORKFLOW = "credit", "outbox", "workflow"
KINDS = (ORDER, STOCK, RESERVATION, CREDIT, OUTBOX, WORKFLOW)

REBUILD, SET_LEVEL = "rebuild_order", "set_level"
RELEASE, ALLOCATE = "release_stock", "allocate_stock"
REPUBLISH, START, STOP = "republish", "start_workflow", "stop_workflow"
COMMANDS = frozenset({REBUILD, SET_LEVEL, RELEASE, ALLOCATE, REPUBLISH, START, STOP})

ASK_PROVIDER = (
    "Compare with the provider what was captured and refunded; then refund or capture what is "
    "missing, or record what the provider says"
)
RESTORE = "Restore the rows of this order from the backup or from the archive of events"


def of_order(
    order_id: str, differences: Iterable[Difference], *, can_be_rebuilt: bool
) -> Iterator[Found]:
    """`can_be_rebuilt`: its events are whole and fold into another order than the snapshot."""
    for each in differences:
        fields: dict[str, str | int] = {"order_id": order_id}
        if can_be_rebuilt:
            words = "Write the snapshot again from the order's events, which are whole"
            yield _found(ORDER, each, Proposal(words, REBUILD, fields))
        else:
            yield _found(ORDER, each, Proposal(_by_hand(each.rule), "", fields))


def _by_hand(rule: str) -> str:
    if rule in LOST:
        return RESTORE
    if "units" in rule or "quantity" in rule:
        return "Compare the order's lines with its fulfillment orders and returns, and correct them"
    return ASK_PROVIDER


LOST = frozenset(
    {
        "every row of the order can be read",
        "events belong to an order",
        "events are numbered without a gap",
        "the snapshot is as new as its events",
        "the order is the fold of its events",
    }
)


def of_level(
    sku: str, location: str, differences: Iterable[Difference], *, is_sound: bool
) -> Iterator[Found]:
    """`is_sound`: the movements themselves could be a level."""
    for each in differences:
        fields: dict[str, str | int] = {"sku": sku, "location": location}
        if is_sound and not each.subject.removeprefix(f"{sku} {location}"):
            words = "Set the counters to what the movements add up to, then count the place"
            yield _found(STOCK, each, Proposal(words, SET_LEVEL, fields))
        else:
            yield _found(STOCK, each, Proposal("Count the place and record the count", "", fields))


def of_reservation(sku: str, location: str, reservation: str, difference: Difference) -> Found:
    """The ledger has more for it than its order holds, or less."""
    units = difference.actual - difference.expected
    fields: dict[str, str | int] = {
        "sku": sku,
        "location": location,
        "reservation": reservation,
        "units": abs(units),
    }
    if units > 0:
        words = f"Give {units} units back to what is available"
        return _found(RESERVATION, difference, Proposal(words, RELEASE, fields))
    words = f"Reserve {-units} units for it; if they are not there, let the order be routed again"
    return _found(RESERVATION, difference, Proposal(words, ALLOCATE, fields))


def of_credit(account_id: str, differences: Iterable[Difference]) -> Iterator[Found]:
    words = "Compare the account's entries with the orders it paid for; then adjust its balance"
    for each in differences:
        yield _found(CREDIT, each, Proposal(words, "", {"account_id": account_id}))


def of_event(order_id: str, seq: int, difference: Difference) -> Found:
    fields: dict[str, str | int] = {"order_id": order_id, "seq": seq}
    if difference.rule == TOLD:
        words = "Tell the bus of the event again; who has heard it knows it by its id"
        return _found(OUTBOX, difference, Proposal(words, REPUBLISH, fields))
    words = "Somebody has told the bus of what never happened, or its row is lost: " + RESTORE
    return _found(OUTBOX, difference, Proposal(words, "", fields))


def of_execution(identity: str, difference: Difference) -> Found:
    """`identity`: of an order, or of a return."""
    fields: dict[str, str | int] = {"id": identity}
    if difference.rule == ATTENDED:
        words = "Start its workflow: it goes on from the state it finds"
        return _found(WORKFLOW, difference, Proposal(words, START, fields))
    words = "Stop the execution: nothing waits for it"
    return _found(WORKFLOW, difference, Proposal(words, STOP, fields))


def _found(kind: str, each: Difference, proposal: Proposal) -> Found:
    return Found(kind, each.subject, each.rule, each.expected, each.actual, proposal)
