"""What a new house needs before it can sell: locations and stock. Running it again adds nothing.

Customers are not seeded: the vault knows people by their orders only, so the first order of
ada@example.com makes her one.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from infra.local.client import Client, Json, segment

LOCATIONS: Mapping[str, Json] = {
    "AUS1": {
        "name": "Austin warehouse",
        "kind": "warehouse",
        "country": "US",
        "region": "TX",
        "postal_code": "78744",
        "fixed_cost": 450,
        "unit_cost": 60,
    },
    "RNO1": {
        "name": "Reno warehouse",
        "kind": "warehouse",
        "country": "US",
        "region": "NV",
        "postal_code": "89502",
        "fixed_cost": 500,
        "unit_cost": 55,
    },
    "EWR1": {
        "name": "Newark store",
        "kind": "store",
        "country": "US",
        "region": "NJ",
        "postal_code": "07102",
        "fixed_cost": 700,
        "unit_cost": 90,
    },
}

# The kettle lies in Austin only and the lamp in Reno only: an order of both is split.
STOCK: Mapping[str, Mapping[str, int]] = {
    "MUG-01": {"AUS1": 400, "RNO1": 250, "EWR1": 40},
    "MUG-02": {"AUS1": 300, "RNO1": 300},
    "PLATE-01": {"AUS1": 500, "RNO1": 200},
    "BOWL-01": {"AUS1": 250, "EWR1": 30},
    "KETTLE-01": {"AUS1": 300},
    "LAMP-01": {"RNO1": 300},
    "TEA-01": {"RNO1": 600, "EWR1": 120},
    "TEA-02": {"RNO1": 400, "EWR1": 80},
    "TOWEL-01": {"AUS1": 350, "RNO1": 350},
    "KNIFE-01": {"AUS1": 90, "EWR1": 15},
    "BOARD-01": {"RNO1": 120},
    "VASE-01": {"EWR1": 25},
}
CALLERS = 4


class Receipt(NamedTuple):
    sku: str
    location: str
    quantity: int
    key: str


class Seeded(NamedTuple):
    locations: int
    skus: int
    units: int


def seed(api: Client) -> Seeded:
    """What is there once it is done; what somebody changed meanwhile stays changed."""
    open_missing_locations(api)
    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(lambda receipt: receive(api, receipt), receipts()))
    units = sum(receipt.quantity for receipt in receipts())
    return Seeded(len(LOCATIONS), len(STOCK), units)


def open_missing_locations(api: Client) -> None:
    known = {each["location_id"] for each in api.get("/locations")["items"]}
    for location_id, location in LOCATIONS.items():
        if location_id not in known:
            api.put(f"/locations/{location_id}", location)


def receipts() -> Iterator[Receipt]:
    """Each under a key of its own, which makes it count once."""
    for sku, places in STOCK.items():
        for location, quantity in places.items():
            yield Receipt(sku, location, quantity, f"seed-{sku}-{location}")


def receive(api: Client, receipt: Receipt) -> None:
    path = f"/stock/{segment(receipt.sku)}/{receipt.location}/receipts"
    api.post(path, {"quantity": receipt.quantity}, key=receipt.key)
