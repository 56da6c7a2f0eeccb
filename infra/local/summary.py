"""What the demo says at its end: how the orders are, what they cost, what to try next."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from infra.local.bill import Counts, bill
from infra.local.client import Json
from infra.local.telling import money, words

PARTS = "fulfillment_orders"
STATE = ("order", "status", "payment", "shipped from", "total")
COST = ("order", "requests", "functions", "transitions", "writes", "reads", "events", "dollars")
NOTE = """\
  Measured by the emulator, mails and reports included, our looking on not.
  Writes and reads are request units of DynamoDB. Dollars by the list prices
  of us-east-1, for functions as fast as here; `make bench` has averages."""

TRY_NEXT = """\
  What to try next, in this directory (README.md explains each step):

eval "$(make -s env)"   # OMS_URL, OMS_TOKEN, the secrets of the senders
api() { curl -sS -H "Authorization: Bearer $OMS_TOKEN" "$@"; echo; }

ANSWER=$(api "$OMS_URL/orders" -d '{"channel": "web", "external_id": "my-1",
  "currency": "USD", "customer": {"email": "me@example.com", "name": "Me"},
  "shipping_address": {"name": "Me", "line1": "1 Main St", "city": "Austin",
    "region": "TX", "postal_code": "78701", "country": "US"},
  "lines": [{"sku": "MUG-01", "quantity": 1, "unit_price": 1250}],
  "total": 1250, "payment": {"provider": "test", "token": "tok_ok"}}')
ORDER=$(echo "$ANSWER" | grep -o 'ord_[a-z2-7]*' | head -1)
WORK="$OMS_URL/fulfillment-orders/ful_${ORDER#ord_}-1"

until api "$OMS_URL/orders/$ORDER" | grep ful_; do sleep 1; done
api -X POST "$WORK/pick"
api -X POST "$WORK/pack"
api "$WORK/ship" -d '{"parcels": [{"carrier": "manual",
  "tracking_number": "M-1", "lines": [{"line_id": "line_1", "quantity": 1}]}]}'
api -X POST "$WORK/deliver"
api "$OMS_URL/orders/$ORDER/events"     # everything that happened
api "$OMS_URL/books"                    # units and money balance

  make logs | make test | make bench | make replay FILE=… | make down"""


class Walked(Protocol):
    @property
    def tag(self) -> str: ...
    @property
    def order(self) -> Json: ...
    @property
    def counts(self) -> Counts | None: ...
    @property
    def stands_still(self) -> bool: ...


def of(walks: Sequence[Walked], books: Json) -> str:
    costs = [cost_row(walk.tag, walk.counts) for walk in walks if walk.counts]
    parts = [
        table(STATE, [state_row(walk) for walk in walks], words=4),
        *([table(COST, costs, words=1) + "\n" + NOTE] if costs else []),
        books_line(books),
        *stuck_lines(walks),
        TRY_NEXT,
    ]
    return "\n" + "\n\n".join(parts)


def state_row(walk: Walked) -> Sequence[str]:
    order = walk.order
    places = [each["location_id"] for each in order[PARTS] if each["status"] != "cancelled"]
    status = "needs attention" if order["attention"] else words(order["status"])
    total = money(order["totals"]["total"], order)
    return walk.tag, status, words(order["payment_status"]), " + ".join(places), total


def cost_row(tag: str, counts: Counts) -> Sequence[str]:
    *amounts, dollars = bill(counts)
    return tag, *(f"{amount:.0f}" for amount in amounts), f"{dollars:.6f}"


def books_line(books: Json) -> str:
    if books["balanced"]:
        return "  The books balance: units and money."
    return f"  The books do NOT balance: {len(books['differences'])} differences, see GET /books."


def stuck_lines(walks: Sequence[Walked]) -> Iterable[str]:
    for walk in walks:
        if walk.stands_still:
            yield f"  {walk.tag} stands still: see docs/operations.md, “An order is stuck”."


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: int) -> str:
    """Columns as wide as they must be: words to the left, the numbers after them to the right."""
    lines = [heads, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join(f"  {'  '.join(cells(line, widths, words)).rstrip()}" for line in lines)


def cells(line: Sequence[str], widths: Sequence[int], words: int) -> Iterable[str]:
    for place, (text, width) in enumerate(zip(line, widths, strict=True)):
        yield text.ljust(width) if place < words else text.rjust(width)
