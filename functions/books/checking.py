"""A check of all books, step by step; what is open must not fit into memory.

What is known in one order and needed in another is put on piles in between: which executions run
and which should, by parts of the ids; and what orders claim of each stock item. So a step looks at
one part, one item or a few orders, however many there are. What has moved since it was put on its
pile only looks like a difference: each is read again before it is called one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol
from zlib import crc32

from functions.books import credit_books
from functions.books.auditor import Auditor, identity_of
from functions.books.books import order_figures
from oms.adapters.checks_table import ChecksTable
from oms.adapters.credit_ledger import CreditFile
from oms.adapters.histories import Filed
from oms.adapters.item_books import ItemBook, is_of_part
from oms.domain.books import proposals, workflow
from oms.domain.books.checks import Check, Phase, Step
from oms.domain.books.reservations import Whose, held_by
from oms.domain.books.tasks import Found, Task

ORDERS, ITEMS, ACCOUNTS = 100, 25, 25  # in one step
MOVEMENTS = 50_000  # of its items
RUNNING, OPEN, PAID, ASKED = "running", "open", "paid", "asked"


class Tasks(Protocol):
    def found(self, found: Found, at: datetime) -> Task: ...


class Known(Protocol):
    def known(self, skus: Any) -> set[str]: ...


@dataclass
class Checking:
    """A check that somebody works on for a while. `scans` are those that a phase goes on with."""

    checks: ChecksTable
    tasks: Tasks
    auditor: Auditor
    stock: Known
    clock: Callable[[], datetime]
    scans: dict[Phase, Iterator[Any]] = field(default_factory=dict)

    def work(self, check: Check, is_late: Callable[[], bool]) -> Check:
        """`Overtaken` when somebody else works on it too."""
        while check.phase is not None and not is_late():
            step = STEPS[check.phase](self, check)
            check = self.checks.save(check, check.after(step, self.clock()))
        return check

    def report(self, check: Check, found: Sequence[Found]) -> int:
        """Each becomes a task, or is the one that it was."""
        for each in found:
            self.tasks.found(each, self.clock())
        self.checks.note(check, (each.task_id for each in found))
        return len(found)

    def scan(self, check: Check, begin: Callable[[str | None], Iterator[Any]]) -> Iterator[Any]:
        """The phase's, which begins behind the cursor where nobody goes on with it."""
        assert check.phase is not None
        if check.phase not in self.scans:
            self.scans[check.phase] = begin(check.cursor)
        return self.scans[check.phase]


def list_orders(checking: Checking, check: Check) -> Step:
    return _running(checking, check, checking.auditor.executions.workflow.running_page)


def list_returns(checking: Checking, check: Check) -> Step:
    return _running(checking, check, checking.auditor.returns.workflow.running_page)


def _running(
    checking: Checking,
    check: Check,
    page: Callable[[str | None], tuple[list[str], str | None]],
) -> Step:
    names, more = page(check.cursor)
    checking.checks.pile(check, _by_part(RUNNING, names, check))
    return Step(more, {"executions": len(names)})


def _by_part(pile: str, names: Sequence[str], check: Check) -> dict[str, list[str]]:
    piles: dict[str, list[str]] = {}
    for name in names:
        piles.setdefault(f"{pile}:{_part(identity_of(name), check)}", []).append(name)
    return piles


def check_orders(checking: Checking, check: Check) -> Step:
    filed: list[Filed] = list(islice(checking.scan(check, checking.auditor.filing.scan), ORDERS))
    counted, found, piles = Counter[str](), list[Found](), dict[str, list[Any]]()
    for each, differences in zip(filed, checking.auditor.orders_of(filed), strict=True):
        found += differences
        counted.update(figures_of(each))
        for pile, entries in _claimed(each, check).items():
            piles.setdefault(pile, []).extend(entries)
    found += _of_unknown_items(checking, piles)
    checking.checks.pile(check, piles)
    reported = checking.report(check, found)
    return Step(filed[-1].order_id if len(filed) == ORDERS else None, counted, reported)


def figures_of(filed: Filed) -> dict[str, int]:
    counted = {"orders": 1, "events": len(filed.facts)}
    return counted | (order_figures(filed.order, filed.facts) if filed.order else {})


def _claimed(filed: Filed, check: Check) -> dict[str, list[Any]]:
    """What must run for it, what it asked to be paid out, and what it has of each stock item."""
    if filed.order is None:
        return {}
    piles: dict[str, list[Any]] = dict(_by_part(OPEN, list(workflow.attended(filed.order)), check))
    for key in credit_books.payouts(filed.order):
        piles.setdefault(f"{ASKED}:{_part(key, check)}", []).append(key)
    for sku, (location, reservation), units in held_by(filed.order):
        piles.setdefault(f"claims:{sku}", []).append([location, reservation, units])
    return piles


def _of_unknown_items(checking: Checking, piles: Mapping[str, Sequence[Any]]) -> list[Found]:
    """Of what never was stock nothing will be met when the stock is looked at."""
    claimed = {pile.removeprefix("claims:"): pile for pile in piles if pile.startswith("claims:")}
    unknown = sorted(claimed.keys() - checking.stock.known(claimed))
    found = []
    for sku in unknown:
        whose = {(location, name) for location, name, _ in piles[claimed[sku]]}
        found += checking.auditor.reservations(sku, whose)
    return found


def check_stock(checking: Checking, check: Check) -> Step:
    """A few items, or fewer that have moved much."""
    counted, found = Counter[str](), list[Found]()
    cursor, moved = None, 0
    scan: Iterator[ItemBook] = checking.scan(check, checking.auditor.items.scan)
    for number, book in enumerate(scan, 1):
        found += checking.auditor.item(book, lambda part: claims_of(checking, check, part))
        counted.update(item_figures(book))
        moved += book.movements
        if number == ITEMS or moved > MOVEMENTS:
            cursor = book.sku
            break
    return Step(cursor, counted, checking.report(check, found))


def claims_of(checking: Checking, check: Check, book: ItemBook) -> Counter[Whose]:
    claimed: Counter[Whose] = Counter()
    for location, name, units in checking.checks.piled(check, f"claims:{book.sku}"):
        if is_of_part(name, book.part, book.parts):
            claimed[location, name] += units
    return claimed


def item_figures(book: ItemBook) -> dict[str, int]:
    levels = book.levels.values()
    flows = book.flows.figures(book.on_hand)
    return {
        "stock_items": 1,
        "stock_levels": len(levels),
        "units_available": sum(level.available for level in levels),
        "units_reserved": sum(level.reserved for level in levels),
        "units_of_carts_and_leases": book.aside.total(),
        "units_incoming": sum(level.incoming for level in levels),
        **{f"units_{name}": units for name, units in flows.items()},
    }


def check_credit(checking: Checking, check: Check) -> Step:
    files: list[CreditFile] = list(
        islice(checking.scan(check, checking.auditor.credit.scan), ACCOUNTS)
    )
    counted, found, piles = Counter[str](), list[Found](), dict[str, list[Any]]()
    for file in files:
        counted.update(credit_books.figures(file))
        for pile, entries in _paid_out(file, check).items():
            piles.setdefault(pile, []).extend(entries)
        for _ in range(credit_books.LOOKS):  # it and its orders move meanwhile
            if not (differs := checking.auditor.account(file.account_id)):
                break
        found += differs
    checking.checks.pile(check, piles)
    reported = checking.report(check, found)
    return Step(files[-1].account_id if len(files) == ACCOUNTS else None, counted, reported)


def _paid_out(file: CreditFile, check: Check) -> dict[str, list[Any]]:
    """An order asks before anything is paid out, so whoever has since read all orders knows it."""
    piles: dict[str, list[Any]] = {}
    for entry in credit_books.paid_out(file, check.began_at):
        told = [file.account_id, entry.seq, entry.key, entry.amount]
        piles.setdefault(f"{PAID}:{_part(entry.key, check)}", []).append(told)
    return piles


def compare_payouts(checking: Checking, check: Check) -> Step:
    """One part of the keys: what was paid out to accounts beside what orders have asked for."""
    part = int(check.cursor or 0)
    asked = set(checking.checks.piled(check, f"{ASKED}:{part}"))
    found = [
        found
        for account_id, seq, key, amount in checking.checks.piled(check, f"{PAID}:{part}")
        if key not in asked
        for found in proposals.of_credit(
            account_id, [credit_books.never_asked(account_id, seq, amount)]
        )
    ]
    return _next_part(check, checking.report(check, found))


def _next_part(check: Check, reported: int) -> Step:
    following = int(check.cursor or 0) + 1
    return Step(str(following) if following < check.parts else None, {}, reported)


def _part(name: str, check: Check) -> int:
    return crc32(name.encode()) % check.parts


def compare_workflows(checking: Checking, check: Check) -> Step:
    """One part of the ids: what runs beside what should."""
    part = int(check.cursor or 0)
    running = set(checking.checks.piled(check, f"{RUNNING}:{part}"))
    open_ = set(checking.checks.piled(check, f"{OPEN}:{part}"))
    alone = {name for name in running if identity_of(name) not in open_}
    missing = open_ - {identity_of(name) for name in running}
    twice = {name for name in running if name not in open_ and name not in alone}
    names = sorted(alone | missing | twice)
    found = [each for name in names for each in checking.auditor.execution(name)]
    return _next_part(check, checking.report(check, found))


STEPS: Mapping[Phase, Callable[[Checking, Check], Step]] = {
    Phase.ORDER_WORKFLOWS: list_orders,
    Phase.RETURN_WORKFLOWS: list_returns,
    Phase.ORDERS: check_orders,
    Phase.STOCK: check_stock,
    Phase.CREDIT: check_credit,
    Phase.WORKFLOWS: compare_workflows,
    Phase.PAYOUTS: compare_payouts,
}
