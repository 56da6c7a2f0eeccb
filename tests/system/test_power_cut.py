"""The embedded cloud is killed in the middle of orders, starts again, and every order goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from infra.local.client import Json, Refusal, Unreachable
from tests.cloud import deployed_cloud, eventually
from tests.system.shop import Shop

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

SNAPSHOT_SECONDS = 1
BUYERS, UNITS = 2, 1000
PAUSE = 0.8  # of a buyer between two orders
BLINK = 0.5


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A cloud of its own, that keeps its state on the disk."""
    settings = {"LOCAL_SNAPSHOT_SECONDS": str(SNAPSHOT_SECONDS)}
    with deployed_cloud(persist=True, settings=settings) as app:
        yield Shop(app).open()


class Trade:
    """Buyers who place orders until the lights go out: when each was answered, what it asked."""

    def __init__(self, shop: Shop, sku: str) -> None:
        self.shop, self.sku = shop, sku
        self.answered: list[tuple[float, Json]] = []
        self._over = threading.Event()
        self._buyers = [threading.Thread(target=self._buy) for _ in range(BUYERS)]

    def __enter__(self) -> Trade:
        for buyer in self._buyers:
            buyer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for buyer in self._buyers:
            buyer.join()

    def _buy(self) -> None:
        while not self._over.wait(PAUSE):
            basket = self.shop.basket((self.sku, 1))
            try:
                self.shop.api.post("/orders", basket)
            except (Refusal, Unreachable):
                return
            self.answered.append((time.time(), basket))


def snapshot(shop: Shop) -> float:
    """Wait until a whole one was taken; when it was begun."""
    state = shop.cloud.home / "state"
    eventually(lambda: not any(state.glob("*.new")), 90)
    eventually(lambda: any(state.glob("*.new")), 90)
    began = time.time()
    eventually(lambda: (state / "dynamodb.json").stat().st_mtime > began - BLINK, 90)
    eventually(lambda: not any(state.glob("*.new")), 90)
    return began


def test_every_order_goes_on_after_a_power_cut(shop: Shop) -> None:
    sku = shop.stocked(UNITS)

    with Trade(shop, sku) as trade:
        eventually(lambda: trade.answered, 30)
        saved = snapshot(shop)
        shop.cloud.kill()
    shop.cloud.start()

    known = {order["external_id"] for order in shop.api.get("/orders", limit=200)["items"]}
    for at, basket in trade.answered:
        assert basket["external_id"] in known or at > saved - BLINK, saved - at
    placed = [shop.api.post("/orders", basket)["order_id"] for _, basket in trade.answered]
    assert len(set(placed)) == len(trade.answered)
    everybody = [order["order_id"] for order in shop.api.get("/orders", limit=200)["items"]]
    shop.reconcile(*everybody)
    shop.finish(*everybody, seconds=120)

    for order_id in everybody:
        order = shop.until(order_id, status="completed", payment_status="paid")
        assert order["paid"] == 1500
        assert shop.history(order_id).count("PaymentCaptured") == 1
    left = UNITS - len(everybody)
    assert shop.units(sku) == (left, left, 0)


def test_a_graceful_stop_loses_nothing_at_all(shop: Shop) -> None:
    sku = shop.stocked(20)
    waiting = shop.place((sku, 1), token="tok_3ds")
    routed = shop.routed((sku, 1))["order_id"]
    shop.until_at(waiting, "Await payment")
    version = shop.order(waiting)["version"]

    shop.cloud.stop()
    shop.cloud.start()

    assert shop.order(waiting)["version"] == version
    shop.reconcile(waiting, routed)
    shop.finish(waiting, routed)
    for order_id in (waiting, routed):
        assert shop.until(order_id, payment_status="paid")["status"] == "completed"
    assert shop.units(sku) == (18, 18, 0)
