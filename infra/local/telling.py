"""An order's news in words: what changed between two looks at it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from infra.local.client import Json
from oms.domain.currencies import EXPONENTS

PAYMENT = {
    "pending": "waits for the bank",
    "authorized": "payment authorized",
    "declined": "payment declined",
    "voided": "payment voided",
}
FULFILLMENT = {"picking": "picked"}  # what staff report with `pick`
OVER = ("completed", "cancelled", "expired")
OUR_DOING = {"open", "shipped", "delivered"}  # told with more to say than the word


class News(NamedTuple):
    what: str
    detail: str = ""


def news(before: Json | None, after: Json) -> Iterator[News]:
    if before is None:
        yield News("placed", f"{units(after)}, {money(after['totals']['total'], after)}")
    yield from payment_news(before or {}, after)
    known = {each["fulfillment_order_id"]: each for each in (before or {}).get(PARTS, [])}
    for each in after[PARTS]:
        yield from part_news(known.get(each["fulfillment_order_id"]), each, after)
    yield from order_news(before or {}, after)


PARTS = "fulfillment_orders"


def payment_news(before: Json, after: Json) -> Iterator[News]:
    status = str(after["payment_status"])
    if status in PAYMENT and before.get("payment_status") != status:
        amount = money(after["totals"]["total"], after)
        yield News(PAYMENT[status], "3-D Secure" if status == "pending" else amount)
    if paid := after["paid"] - before.get("paid", 0):
        yield News("payment captured", money(paid, after))
    if refunded := after["refunded"] - before.get("refunded", 0):
        yield News("payment refunded", money(refunded, after))


def part_news(before: Json | None, after: Json, order: Json) -> Iterator[News]:
    place = after["location_id"]
    if before is None:
        yield News("routed", f"{place} ships {contents(after, order)}")
    status = str(after["status"])
    if status not in OUR_DOING and status_of(before) != status:
        yield News(FULFILLMENT.get(status, status), place)
    yield from parcel_news((before or {}).get("parcels", []), after["parcels"], place)


def parcel_news(before: list[Json], after: list[Json], place: str) -> Iterator[News]:
    known = {parcel["tracking_number"]: parcel["status"] for parcel in before}
    for parcel in after:
        number, status = parcel["tracking_number"], parcel["status"]
        if number not in known:
            yield News("shipped", f"{place}, {parcel['carrier']} {number}")
        if known.get(number, "label_created") != status:
            yield News(words(status), number)


def order_news(before: Json, after: Json) -> Iterator[News]:
    if after["status"] in OVER and before.get("status") != after["status"]:
        yield News(after["status"])
    if after["attention"] and before.get("attention") != after["attention"]:
        yield News("needs attention", after["attention"])


def status_of(each: Json | None) -> str:
    return str(each["status"]) if each else "open"


def standing(order: Json) -> str:
    """The state of an order in a word or two."""
    if order["attention"]:
        return "needs attention"
    if order["payment_status"] == "pending":
        return PAYMENT["pending"]
    parts = {words(each["status"]) for each in order[PARTS] if each["status"] != "cancelled"}
    if order["status"] == "in_fulfillment" and parts:
        return " + ".join(sorted(parts))
    return words(order["status"])


def units(order: Json) -> str:
    return ", ".join(f"{line['quantity']} × {line['sku']}" for line in order["lines"])


def contents(each: Json, order: Json) -> str:
    skus = {line["line_id"]: line["sku"] for line in order["lines"]}
    return ", ".join(f"{line['quantity']} × {skus[line['line_id']]}" for line in each["lines"])


def money(amount: int, order: Json) -> str:
    currency = order["currency"]
    return f"{Decimal(amount).scaleb(-EXPONENTS[currency])} {currency}"


def words(status: str) -> str:
    return status.replace("_", " ")
