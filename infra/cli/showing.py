"""`oms show`: an order as somebody would tell it on the phone."""

import argparse
from collections.abc import Iterator

from infra.cli import finding
from infra.cli.asking import Commands, Said, command, listed, money, table
from infra.local.client import Client, Json, segment
from infra.local.cloud import CloudError


def offer(commands: Commands) -> None:
    parser = command(
        commands,
        "show",
        show,
        "show an order: how it stands, what it waits for, what happened",
        "By whatever finds one order. The exit status is 1 when it needs attention.",
    )
    parser.add_argument("what", help="ord_…, or what `oms find` takes")
    parser.add_argument("number", nargs="?", help="the order's number at its channel")


def show(client: Client, asked: argparse.Namespace) -> Said:
    order = the_only(list(finding.orders(client, asked.what, asked.number)))
    history = listed(client, f"/orders/{segment(order['order_id'])}/events")
    answer = {"order": order, "events": history}
    return Said(answer, [*head(order), *body(order), *past(history)], not order["attention"])


def the_only(found: list[Json]) -> Json:
    if not found:
        raise CloudError("nothing found")
    if len(found) > 1:
        raise CloudError(f"{len(found)} orders: choose one of `oms find`")
    return found[0]


def head(order: Json) -> Iterator[str]:
    axes = (order[f"{axis}_status"] for axis in ("payment", "fulfillment", "return"))
    yield f"{order['order_id']}  {order['channel']} {order['external_id']}"
    yield f"  {order['status']}: {', '.join(filter(None, axes))}"
    amounts = (
        (name, order["totals"]["total"] if name == "total" else order[name]) for name in SUMS
    )
    yield "  " + ", ".join(f"{name} {money(amount, order['currency'])}" for name, amount in amounts)
    if order["attention"]:
        yield f"  needs attention: {order['attention']}"
    for hold in order["holds"]:
        if not hold.get("released_at"):
            yield f"  held ({hold['type']}): {hold['reason']}"


SUMS = ("total", "paid", "refunded")


def body(order: Json) -> Iterator[str]:
    yield ""
    yield from indented(table(line(each) for each in order["lines"]))
    for each in order["fulfillment_orders"]:
        yield f"  {each['fulfillment_order_id']}  {each['location_id']}  {each['status']}"
        for parcel in each["parcels"]:
            yield f"    {parcel['carrier']} {parcel['tracking_number']}: {parcel['status']}"
    for each in order["returns"]:
        yield f"  {each['return_id']}  {each['resolution']}  {each['status']}"


def line(each: Json) -> tuple[str, str, str]:
    where = (f"{count} {name}" for name, count in each["quantities"].items() if count)
    return f"{each['quantity']} ×", each["sku"], ", ".join(where)


def past(events: list[Json]) -> Iterator[str]:
    yield ""
    rows = ((e["at"][:19].replace("T", " "), e["type"], e["actor"]) for e in events)
    yield from indented(table(rows))


def indented(lines: list[str]) -> Iterator[str]:
    return (f"  {each}" for each in lines)
