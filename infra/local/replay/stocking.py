"""Stock for what will be ordered: only what is missing, and never twice."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from infra.local.client import Client, Json, segment
from infra.local.replay.lanes import Lanes
from infra.local.replay.patience import patiently

LOCATION = "UCI1"
WAREHOUSE: Json = {
    "name": "The shop's own warehouse",
    "kind": "warehouse",
    "country": "GB",
    "postal_code": "EC1A",
    "fixed_cost": 300,
    "unit_cost": 10,
}
SKUS_A_QUESTION = 100
MOST_UNITS = 1_000_000  # that one receipt takes


class Receipt(NamedTuple):
    sku: str
    units: int
    key: str


def stock_up(api: Client, demand: Mapping[str, int], lanes: Lanes) -> Iterator[Receipt]:
    """Receive what the demand exceeds, each SKU under a key of its own: the same need, the same
    receipt. Yields each as soon as it is on its way."""
    patiently(lambda: api.put(f"/locations/{LOCATION}", WAREHOUSE))
    skus = sorted(demand)
    for start in range(0, len(skus), SKUS_A_QUESTION):
        for receipt in missing(api, skus[start : start + SKUS_A_QUESTION], demand):
            lanes.put(receipt.sku, lambda receipt=receipt: receive(api, receipt))  # type: ignore[misc]
            yield receipt


def missing(api: Client, skus: list[str], demand: Mapping[str, int]) -> Iterator[Receipt]:
    found = patiently(lambda: api.get("/availability", sku=skus))["items"]
    available = {item["sku"]: item["available"] for item in found}
    for sku in skus:
        needed = demand[sku]
        short = needed - available.get(sku, 0)
        for part in range(0, max(0, short), MOST_UNITS):
            units = min(MOST_UNITS, short - part)
            yield Receipt(sku, units, f"replay-{segment(sku)}-{needed}-{units}-{part}")


def receive(api: Client, receipt: Receipt) -> None:
    path = f"/stock/{segment(receipt.sku)}/{LOCATION}/receipts"
    body = {"quantity": receipt.units, "reason": "replayed history"}
    patiently(lambda: api.post(path, body, key=receipt.key))
