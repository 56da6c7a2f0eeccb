"""Waiting until every order rests, and comparing it with what we asked for."""

import time
from collections.abc import Callable

from infra.local.client import Client, Json, Refusal, segment
from infra.local.replay.asking import NOT_FOUND
from infra.local.replay.journal import Journal, Placed, pages
from infra.local.replay.lanes import Lanes
from infra.local.replay.patience import patiently
from infra.local.replay.stocking import SKUS_A_QUESTION, Receipt, receive

ROUTED, GONE, COMPLETED, STUCK = "routed", "cancelled", "completed", "needs attention"
PATIENCE = 240.0  # without any order coming to rest; the reconciler comes by every minute
SHORTEST_PAUSE = 0.5
Tell = Callable[[dict[str, int]], None]


class Inspection:
    """Looks at each order until it rests. What the cloud has lost is forgotten, to be asked for
    again; what lacks stock is given it."""

    def __init__(self, api: Client, journal: Journal, workers: int) -> None:
        self.api, self.journal, self.workers = api, journal, workers

    def wait(self, tell: Tell) -> None:
        self.journal.look_again()
        moving, deadline = -1, 0.0
        while True:
            started = time.monotonic()
            self.look_at_all()
            states = self.journal.states()
            tell(states)
            if states.get("", 0) != moving:
                moving, deadline = states.get("", 0), time.monotonic() + PATIENCE
            if not moving or time.monotonic() > deadline:
                return
            time.sleep(max(SHORTEST_PAUSE, time.monotonic() - started))

    def look_at_all(self) -> None:
        with Lanes(self.workers) as lanes:
            for page in pages(self.journal):
                for placed in page:
                    lanes.put(placed.number, lambda placed=placed: self.look_at(placed))  # type: ignore[misc]

    def look_at(self, placed: Placed) -> None:
        try:
            order = patiently(lambda: self.api.get(f"/orders/{placed.order_id}"))
        except Refusal as refusal:
            if refusal.status != NOT_FOUND:
                raise
            self.journal.forget(placed.number)
            return
        units, pence = left_of(order)
        if units > placed.units:  # a cancellation is lost
            self.journal.forget(placed.number)
            return
        self.journal.saw(placed.number, state_of(order), units, pence)
        self.supply(order)

    def supply(self, order: Json) -> None:
        """All that it still needs of a SKU that it waits for, as others take what lies there."""
        needed = needs_of(order)
        if not needed:
            return
        found = patiently(lambda: self.api.get("/availability", sku=sorted(needed)))["items"]
        for sku, available in ((item["sku"], item["available"]) for item in found):
            if (short := needed[sku] - available) > 0:
                key = f"replay-{order['order_id']}-{order['version']}-{segment(sku)}-{available}"
                receive(self.api, Receipt(sku, short, key))

    def balance(self) -> list[Json]:
        """The differences that the books of the house show; none when they balance."""
        differences: list[Json] = []
        cursor: Json = {}
        while True:
            page = patiently(lambda asked=cursor: self.api.get("/books", **asked))  # type: ignore[misc]
            differences += page["differences"]
            if not page.get("cursor"):
                return differences
            cursor = {"cursor": page["cursor"]}


def state_of(order: Json) -> str:
    """Where the order rests, or nothing while it still moves."""
    if order["attention"]:
        return STUCK
    if order["status"] in ("cancelled", "expired"):
        return GONE if order["payment_status"] != "authorized" else ""
    if order["status"] == "completed":
        return COMPLETED
    waiting = any(x["quantities"]["open"] or x["quantities"]["backordered"] for x in order["lines"])
    return "" if waiting or order["status"] == "placed" else ROUTED


def needs_of(order: Json) -> dict[str, int]:
    """Units not allocated yet of the SKUs that are backordered; a hundred of them at a time."""
    lines = [(line["sku"], line["quantities"]) for line in order["lines"]]
    waiting = sorted({sku for sku, units in lines if units["backordered"]})[:SKUS_A_QUESTION]
    return {
        sku: sum(units["open"] + units["backordered"] for each, units in lines if each == sku)
        for sku in waiting
    }


def left_of(order: Json) -> tuple[int, int]:
    """Units and pence that are not cancelled: the history knows neither discounts nor taxes."""
    left = [(x["quantity"] - x["quantities"]["cancelled"], x["unit_price"]) for x in order["lines"]]
    return sum(units for units, _ in left), sum(units * pence for units, pence in left)
