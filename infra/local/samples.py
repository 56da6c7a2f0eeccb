"""The three orders of the demo, each with something to see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.local.client import Json

CHANNEL = "demo"


@dataclass(frozen=True, slots=True)
class Sample:
    """`name` becomes a part of the external id: `7-plain` is the plain order of the seventh run."""

    name: str
    about: str
    customer: Mapping[str, str]
    address: Mapping[str, str]
    lines: Sequence[Json]
    shipping: int
    token: str = "tok_ok"
    discounts: Sequence[Json] = ()

    def external_id(self, run: int) -> str:
        return f"{run}-{self.name}"

    def body(self, run: int) -> Json:
        """What a storefront would post to /orders."""
        said = {
            "channel": CHANNEL,
            "external_id": self.external_id(run),
            "currency": "USD",
            "customer": dict(self.customer),
            "shipping_address": {"name": self.customer["name"], **self.address, "country": "US"},
            "lines": [dict(line) for line in self.lines],
            "discounts": [dict(discount) for discount in self.discounts],
            "shipping": {"method": "standard", "price": self.shipping, "taxes": []},
            "tax_included": False,
            "payment": {"provider": "test", "token": self.token},
        }
        return {**said, "total": total(said)}


PLAIN = Sample(
    name="plain",
    about="one parcel from the cheapest location that has it all",
    customer={"email": "ada@example.com", "name": "Ada Byron"},
    address={"line1": "1 Main St", "city": "Austin", "region": "TX", "postal_code": "78701"},
    lines=[
        {
            "sku": "MUG-01",
            "quantity": 2,
            "unit_price": 1250,
            "discounts": [{"code": "TEN", "amount": 250}],
            "taxes": [{"name": "TX", "rate": "0.0825", "amount": 186}],
        }
    ],
    discounts=[{"code": "WELCOME", "amount": 100}],
    shipping=500,
)
SPLIT = Sample(
    name="split",
    about="no location has it all: two fulfillment orders, two captures",
    customer={"email": "grace@example.com", "name": "Grace Murray"},
    address={"line1": "22 Pine St", "city": "Denver", "region": "CO", "postal_code": "80202"},
    lines=[
        {"sku": "KETTLE-01", "quantity": 1, "unit_price": 6900},
        {"sku": "LAMP-01", "quantity": 2, "unit_price": 3450},
    ],
    shipping=900,
)
ASKED = Sample(
    name="3ds",
    about="the bank asks the buyer first; its webhook lets the order go on",
    customer={"email": "alan@example.com", "name": "Alan Mathison"},
    address={"line1": "5 Canal St", "city": "New York", "region": "NY", "postal_code": "10013"},
    lines=[{"sku": "TEA-01", "quantity": 3, "unit_price": 800}],
    shipping=500,
    token="tok_3ds",
)
SAMPLES = (PLAIN, SPLIT, ASKED)
NAMES = frozenset(sample.name for sample in SAMPLES)


def total(said: Json) -> int:
    """The sum of the parts, as the API will reckon it."""
    lines = sum(line_total(line) for line in said["lines"])
    return int(lines - amounts(said["discounts"]) + said["shipping"]["price"])


def line_total(line: Json) -> int:
    off, tax = amounts(line.get("discounts", ())), amounts(line.get("taxes", ()))
    return int(line["unit_price"] * line["quantity"] - off + tax)


def amounts(parts: Sequence[Json]) -> int:
    return sum(part["amount"] for part in parts)


def run_of(external_id: str) -> int:
    """The run that placed it; 0 for an order of the channel that no run placed."""
    number, _, name = external_id.partition("-")
    return int(number) if number.isdigit() and name in NAMES else 0
