"""`oms find`: from what somebody has in hand to the order."""

import argparse
import re
from collections.abc import Iterator

from infra.cli.asking import Commands, Said, command, listed, money, table
from infra.local.client import Client, Json, Refusal, segment
from oms.domain.ids import order_id_of, order_of_fulfillment, order_of_label, order_of_return

OF_AN_ORDER = {
    "ful_": order_of_fulfillment,
    "ret_": order_of_return,
    "lbl_": order_of_label,
}
NOT_FOUND = 404


def offer(commands: Commands) -> None:
    parser = command(
        commands,
        "find",
        find,
        "find orders by what somebody has in hand",
        "An id (ord_, ful_, ret_, lbl_, cus_), an e-mail address, CHANNEL NUMBER, "
        "or CARRIER:TRACKING-NUMBER.",
    )
    parser.add_argument("what", help="ord_…, ful_…, ret_…, ada@example.com, web, ups:1Z…")
    parser.add_argument("number", nargs="?", help="the order's number at its channel")


def find(client: Client, asked: argparse.Namespace) -> Said:
    found = list(orders(client, asked.what, asked.number))
    lines = table(shown(each) for each in found) or ["nothing found"]
    return Said(found, lines, well=bool(found))


def orders(client: Client, what: str, number: str | None) -> Iterator[Json]:
    if number is not None:
        yield from one(client, order_id_of(what, number))
    elif what.startswith("ord_"):
        yield from one(client, what)
    elif order_of := OF_AN_ORDER.get(what[:4]):
        yield from one(client, order_of(what))
    elif "@" in what or what.startswith("cus_"):
        yield from listed(client, "/orders", customer=what)
    elif re.fullmatch(r"[a-z0-9_]+:.+", what):
        yield from listed(client, "/orders", tracking=what)


def one(client: Client, order_id: str) -> Iterator[Json]:
    try:
        yield client.get(f"/orders/{segment(order_id)}")
    except Refusal as refusal:
        if refusal.status != NOT_FOUND:
            raise


def shown(order: Json) -> tuple[str, ...]:
    total = money(order["totals"]["total"], order["currency"])
    number = f"{order['channel']} {order['external_id']}"
    return order["order_id"], order["placed_at"][:16], number, order["status"], total
