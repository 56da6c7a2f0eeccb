"""The replay from beginning to end: stock, invoices, rest, books; again for what was lost."""

import time
from collections import Counter
from dataclasses import dataclass, field

from infra.local.client import Client, Json
from infra.local.replay.asking import Desk
from infra.local.replay.cancellations import Ledger
from infra.local.replay.journal import Journal
from infra.local.replay.lanes import Lanes
from infra.local.replay.progress import shown
from infra.local.replay.reporting import Reported
from infra.local.replay.selection import Selection, Survey, survey
from infra.local.replay.settling import Inspection
from infra.local.replay.stocking import stock_up

WORKERS = 6
ROUNDS = 5  # a cloud that was killed has lost its last seconds: they are asked for again


@dataclass
class Outcome:
    """`asked`: invoices that went to the API in this run, in so many seconds; `lost`: those that
    the cloud lost and did not take again. `refused`: rows by reason. `differences`: what the books
    of the house show. `reported`: what the sales report does."""

    invoices: int = 0
    asked: int = 0
    lost: int = 0
    seconds: float = 0.0
    whole_seconds: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    differences: list[Json] = field(default_factory=list)
    reported: Reported | None = None


class Replay:
    def __init__(self, api: Client, journal: Journal, selection: Selection, workers: int) -> None:
        self.api, self.journal, self.selection = api, journal, selection
        self.workers = workers
        self.outcome = Outcome()

    def run(self) -> Outcome:
        started = time.monotonic()
        inspection = Inspection(self.api, self.journal, self.workers)
        self.journal.retry_refused()
        for _ in range(ROUNDS):
            self.round(inspection)
            self.outcome.lost = sum(
                not self.journal.is_done(each.number) for each in self.selection
            )
            if not self.outcome.lost:
                break
        self.outcome.differences = inspection.balance()
        self.outcome.whole_seconds = time.monotonic() - started
        return self.outcome

    def round(self, inspection: Inspection) -> None:
        seen = survey(self.selection, self.journal.is_done)
        self.outcome.invoices = seen.invoices
        self.stock(seen)
        self.ask(seen)
        self.settle(inspection)

    def stock(self, seen: Survey) -> None:
        units = 0
        with shown("stock") as bar, Lanes(self.workers) as lanes:
            for number, receipt in enumerate(stock_up(self.api, seen.demand, lanes), 1):
                units += receipt.units
                bar.step(number, None, f"SKUs, {units:,} units received")

    def ask(self, seen: Survey) -> None:
        desk = Desk(self.api, self.journal, Ledger(frozenset(seen.cancelled)))
        started = time.monotonic()
        with shown("invoices") as bar, Lanes(self.workers) as lanes:
            for number, invoice in enumerate(self.selection, 1):
                if job := desk.job(invoice):
                    self.outcome.asked += 1
                    lanes.put(invoice.customer or invoice.number, job)
                bar.step(number, seen.invoices)
        self.outcome.seconds += time.monotonic() - started
        self.outcome.refused = desk.refused

    def settle(self, inspection: Inspection) -> None:
        with shown("orders at rest") as bar:

            def tell(states: dict[str, int]) -> None:
                total = sum(states.values())
                bar.step(total - states.get("", 0), total)

            inspection.wait(tell)
