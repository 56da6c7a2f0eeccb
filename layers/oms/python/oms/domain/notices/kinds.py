"""The notices that there are: what each is about, of which blocks it is built, what it may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from oms.domain.notices.templates import Known, Value

ITEMS, PAGE = "items", "page"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of this text, or the list of items, or the button; there only where all of its
    `given` are: `^name` is the want of it."""

    text: str
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """`rows` of a list; `sample` is what it is in the sample orders: a number is an amount, in
    cents."""

    name: str
    meaning: str
    sample: Value | date | int
    rows: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """`optional`: about the progress only. Who asks for that hears no more of it, and it waits for
    the morning; all others are about money, or about what the customer has to do."""

    event: str
    words: str
    blocks: tuple[Block, ...]
    variables: tuple[Variable, ...] = ()
    optional: bool = False
    known: Known = field(default_factory=dict)


def _v(name: str, meaning: str, sample: Value | date | int) -> Variable:
    return Variable(name, meaning, sample)


SOON, LATER = date(2026, 3, 21), date(2026, 3, 24)
ITEM = frozenset({"quantity", "sku"})
PARCEL = frozenset({"carrier", "number"})
SAMPLE_ITEMS = ({"quantity": "2", "sku": "MUG-BLUE"}, {"quantity": "1", "sku": "TEAPOT-1L"})
COMMON = (
    _v("order_number", "the order's number, as its shop counts", "10023"),
    _v("customer_name", "the name of who ordered, or nothing", "Ada Example"),
    Variable("items", "what the notice is about, at most 50", SAMPLE_ITEMS, ITEM),
    _v("has_items", "whether there are items", True),
    _v("more_items", "how many more items there are than are listed, or nothing", ""),
    _v("page", "the address of the order's page, or nothing", "https://shop.example/track/sample"),
    _v("brand_name", "the name of the shop", "Example Shop"),
    _v("brand_colour", "the shop's colour, #rrggbb", "#0b5cad"),
    _v("brand_ink", "what can be read on that colour, #rrggbb", "#ffffff"),
    _v("support", "where customers write to, or nothing", "help@shop.example"),
)
REFUND = _v("refund", "what is paid back, or nothing", 1250)
TOTAL = _v("total", "what the order comes to", 4990)
EXPECTED = _v("expected_on", "the day on which they come, or nothing", LATER)
SHORT = _v("out_of_stock", "whether it is because they could not be had", True)
LEFT = _v("not_collected", "whether it is because nobody has collected them", "")
OPENING, ITEMS_BLOCK, PAGE_BLOCK = Block("opening"), Block(ITEMS, ("items",)), Block(PAGE, (PAGE,))
COMES = (Block("expected", ("expected_on",)), Block("day_unknown", ("^expected_on",)))
WHY = (Block("out_of_stock", ("out_of_stock",)), Block("not_collected", ("not_collected",)))
REFUNDED = Block("refund", ("refund",))
UNCHARGED = Block("not_charged", ("not_charged",))
FREE = _v("not_charged", "whether nothing was ever charged", "")


def _kind(
    event: str,
    words: str,
    *blocks: Block,
    variables: tuple[Variable, ...] = (),
    optional: bool = False,
) -> Kind:
    named = tuple(_named(each, words) for each in (*blocks, PAGE_BLOCK))
    said = (*COMMON, *variables)
    return Kind(event, words, named, said, optional, {each.name: each.rows for each in said})


def _named(block: Block, words: str) -> Block:
    """Texts that are one notice's own are called after it."""
    common = block.text in COMMON_TEXTS or "." in block.text
    return block if common else Block(f"{words}.{block.text}", block.given)


COMMON_TEXTS = frozenset(
    {
        ITEMS,
        PAGE,
        "refund",
        "total",
        "expected",
        "day_unknown",
        "out_of_stock",
        "not_collected",
        "not_charged",
    }
)
KINDS: Mapping[str, Kind] = {
    kind.event: kind
    for kind in (
        _kind(
            "PaymentAuthorized",
            "confirmed",
            OPENING,
            ITEMS_BLOCK,
            Block("total"),
            variables=(TOTAL,),
        ),
        _kind(
            "OrderBackordered",
            "backordered",
            Block("opening", ("^preorder",)),
            Block("preorder", ("preorder",)),
            ITEMS_BLOCK,
            *COMES,
            variables=(EXPECTED, _v("preorder", "whether they are not released yet", "")),
        ),
        _kind(
            "BackorderRescheduled",
            "rescheduled",
            OPENING,
            ITEMS_BLOCK,
            *COMES,
            variables=(EXPECTED,),
            optional=True,
        ),
        _kind("BackorderReleased", "released", OPENING, ITEMS_BLOCK, optional=True),
        _kind(
            "FulfillmentOrderShipped",
            "shipped",
            OPENING,
            ITEMS_BLOCK,
            Block("parcel", ("parcels",)),
            variables=(
                Variable(
                    "parcels",
                    "the parcels that have left",
                    ({"carrier": "DHL", "number": "00340434161094042557"},),
                    PARCEL,
                ),
            ),
            optional=True,
        ),
        _kind("FulfillmentOrderDelivered", "delivered", OPENING, ITEMS_BLOCK, optional=True),
        _kind(
            "FulfillmentOrderReady",
            "ready",
            OPENING,
            ITEMS_BLOCK,
            Block("keep"),
            variables=(
                _v("location", "where they are to be collected", "AUSTIN"),
                _v("keep_days", "for how many days they are kept", "7"),
            ),
        ),
        _kind(
            "OrderLinesCancelled",
            "lines_cancelled",
            OPENING,
            *WHY,
            ITEMS_BLOCK,
            Block("not_paid"),
            REFUNDED,
            UNCHARGED,
            variables=(SHORT, LEFT, REFUND, FREE),
        ),
        _kind(
            "OrderCancelled",
            "cancelled",
            OPENING,
            Block("expired", ("expired",)),
            *WHY,
            REFUNDED,
            UNCHARGED,
            variables=(
                SHORT,
                LEFT,
                REFUND,
                _v("expired", "whether it was not completed in time", ""),
                FREE,
            ),
        ),
        _kind(
            "OrderEdited",
            "edited",
            OPENING,
            ITEMS_BLOCK,
            Block("total"),
            Block("new_address", ("new_address",)),
            REFUNDED,
            variables=(TOTAL, REFUND, _v("new_address", "whether it goes elsewhere now", True)),
        ),
        _kind(
            "ReturnApproved",
            "return_approved",
            Block("opening", ("^keep", "^in_store")),
            Block("keep", ("keep",)),
            Block("in_store", ("in_store", "^keep")),
            ITEMS_BLOCK,
            Block("until", ("hand_over_by",)),
            Block("fee", ("fee_percent",)),
            Block("shipping", ("return_shipping",)),
            variables=(
                _v("keep", "whether they need not be sent", ""),
                _v("in_store", "the store that they are brought to, or nothing", ""),
                _v("hand_over_by", "the last day to hand them over, or nothing", LATER),
                _v("fee_percent", "the share of the price that is kept, or nothing", "10"),
                _v("return_shipping", "what the way back costs, or nothing", 490),
            ),
        ),
        _kind("ReturnDeclined", "return_declined", OPENING, ITEMS_BLOCK),
        _kind("ReturnReceived", "return_received", OPENING, ITEMS_BLOCK, optional=True),
        _kind(
            "ReturnSettled",
            "return_settled",
            Block("return_settled.refund", ("as_refund",)),
            Block("store_credit", ("as_store_credit",)),
            Block("gift_card", ("as_gift_card",)),
            Block("exchange", ("as_exchange",)),
            Block("return_settled.items", ("has_items",)),
            ITEMS_BLOCK,
            variables=(
                _v("amount", "what is given", 3000),
                _v("as_refund", "whether it is paid back", True),
                _v("as_store_credit", "whether it becomes store credit", ""),
                _v("as_gift_card", "whether it is put on a gift card", ""),
                _v("as_exchange", "whether it counts towards other goods", ""),
            ),
        ),
        _kind("ReturnExpired", "return_expired", OPENING, ITEMS_BLOCK),
        _kind(
            "RefundGranted",
            "refund",
            OPENING,
            variables=(_v("amount", "what is paid back", 500),),
        ),
        _kind(
            "PromiseRevised",
            "revised",
            Block("instead", ("day", "before")),
            Block("by", ("day", "^before")),
            Block("unknown", ("^day",)),
            Block("revised.items", ("has_items",)),
            ITEMS_BLOCK,
            variables=(
                _v("day", "the day by which it comes now, or nothing", LATER),
                _v("before", "the day that was told before, or nothing", SOON),
            ),
            optional=True,
        ),
    )
}
