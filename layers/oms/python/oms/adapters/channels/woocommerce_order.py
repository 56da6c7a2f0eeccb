"""An order of WooCommerce, of its REST API wc/v1 to v3 or of the legacy API, in our words.

A line says what all its units cost: `subtotal` before and `total` after coupons, both without tax,
each rounded for itself. Fees are no goods: they are charged with the shipping. What the order's
`total` differs from their sum by these roundings is put on its dearest line; what differs by more
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Fulfilled,
    Ignored,
    Placed,
    Refunded,
    Units,
    Updated,
    What,
)
from oms.adapters.channels.shop_fields import (
    Json,
    ShopFields,
    country,
    customer,
    discount,
    first,
    full_name,
    instant,
    mailbox,
    text,
    unit_price,
    within,
)
from oms.contracts.api.orders import ChannelOrder
from oms.domain.currencies import EXPONENTS

CODE = "woocommerce"
MARK = "_baton_"  # what we put into the meta data of orders and refunds begins with it
SHIPMENT = f"{MARK}shipment_"
READ = ShopFields(CODE)
DRAFTS = frozenset({"checkout-draft", "auto-draft", "draft"})
GONE = frozenset({"cancelled", "trash"})
OVER = GONE | {"failed", "refunded"}
PAID = frozenset({"processing", "completed"})
MAX_AMOUNT = 10**15


@dataclass(frozen=True, slots=True)
class Priced:
    """A line, what all its units cost before and after discounts."""

    line: Json
    gross: int
    net: int
    codes: str
    quantity: int

    @property
    def as_given(self) -> Json:
        gross = max(self.gross, self.net)
        unit, rounding = unit_price(gross, self.quantity)
        given = [*discount(self.codes, gross - self.net), *rounding]
        return {**self.line, "quantity": self.quantity, "unit_price": unit, "discounts": given}


def said_of(body: Json, channel: str, created: bool = False) -> tuple[What, ...]:
    """What an order's body says; what is not known of its refunds has to be fetched."""
    order = modern(body)
    status = text(order.get("status")).removeprefix("wc-")
    if why := _no_business_of_ours(status, created):
        return (Ignored(why),)
    known_as, at = READ.identity(order.get("id"), "the order's id"), changed_at(order)
    refunds = (Fetch(channel, known_as, "refunds"),) if order.get("refunds") else ()
    if status in GONE:
        return Cancelled(channel, known_as, status, at=at), *refunds
    read = read_order(order, status, channel)
    if status != "completed":
        return Placed(read) if created else Updated(read, at), *refunds
    done = _fulfilled(order, channel, known_as, at)
    return Placed(read) if created else Updated(read, at), done, *refunds


def _no_business_of_ours(status: str, created: bool) -> str:
    if status in DRAFTS:
        return "it is a draft"
    if created and status in OVER:
        return f"it is {status} already"
    return ""


def changed_at(order: Json) -> datetime | None:
    """Times without a zone are UTC only where their name says so."""
    for name in ("date_modified_gmt", "date_created_gmt"):
        if found := text(order.get(name)):
            return instant(found if found.endswith("Z") else f"{found}+00:00")
    return None


def gmt(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def meta(holder: Json) -> dict[str, Any]:
    """Plugins keep what they like there; of a key that is there twice the last one counts."""
    found = holder.get("meta_data")
    entries = [x for x in found if isinstance(x, dict)] if isinstance(found, list) else []
    return {key: x.get("value") for x in entries if (key := text(x.get("key")))}


def shipped_units(order: Json) -> int:
    """Those that we have told the shop of."""
    marks = [value for key, value in meta(order).items() if key.startswith(SHIPMENT)]
    units = [within(shipment(value), "units") for value in marks]
    return sum(x for each in units for x in each.values() if isinstance(x, int))


def shipment(value: Any) -> Json:
    """What a mark of ours holds."""
    try:
        found = json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def count_of(line: Json) -> int:
    """Units of a line, of a refund's too, which are below zero."""
    found = line.get("quantity")
    return abs(found) if isinstance(found, int) else 0


def read_order(order: Json, status: str, channel: str) -> ChannelOrder:
    currency = READ.currency(order.get("currency"))
    total = READ.amount(order.get("total"), currency)
    inside = order.get("prices_include_tax") is True
    goods = [x for x in READ.objects(order, "line_items") if not _is_nothing(x, currency)]
    fees = [x for x in READ.objects(order, "fee_lines") if _cents(x.get("total"), currency) > 0]
    rates = _rates(order)
    lines = [_goods(x, order, currency, inside, rates) for x in goods]
    if not lines:  # somebody pays for nothing that we know: a person looks at it
        lines, fees = [_fee(x, currency, inside, rates) for x in fees], []
    given = {
        "channel": channel,
        "external_id": READ.identity(order.get("id"), "the order's id"),
        "currency": currency,
        "customer": _customer(order),
        "shipping_address": _address(order),
        "billing_country": country(within(order, "billing").get("country")),
        "discounts": list(_rebates(order, currency)),
        "shipping": _shipping(order, fees, currency, inside, rates),
        "tax_included": inside,
        "total": total,
        **_money(order, status, total),
    }
    return ChannelOrder.read({**given, "lines": _adding_up(lines, given, len(fees))})


def _is_nothing(line: Json, currency: str) -> bool:
    free = not _cents(line.get("total"), currency) and not _cents(line.get("subtotal"), currency)
    return free and line.get("quantity", 0) in (0, "0")


def _adding_up(lines: Sequence[Priced], given: Json, fees: int) -> list[Json]:
    """With the roundings on the dearest line, as far as roundings they can be."""
    most = 2 * (len(lines) + fees) + 2
    shipping = given["shipping"]
    taxes = [x["amount"] for each in lines for x in each.line["taxes"]]
    taxes += [x["amount"] for x in shipping["taxes"]]
    sum_of_parts = sum(x.net for x in lines) + shipping["price"]
    sum_of_parts -= sum(x["amount"] for x in given["discounts"])
    rest = given["total"] - sum_of_parts - (0 if given["tax_included"] else sum(taxes))
    dearest = max(lines, key=lambda x: x.net, default=None)
    if dearest and 0 < abs(rest) <= most and dearest.net + rest >= 0:
        moved = replace(dearest, gross=dearest.gross + rest, net=dearest.net + rest)
        lines = [moved if each is dearest else each for each in lines]
    return [each.as_given for each in lines]


def _goods(line: Json, order: Json, currency: str, inside: bool, rates: dict[str, str]) -> Priced:
    given = {
        "sku": _sku(line),
        "external_id": READ.identity(line.get("id"), "a line's id"),
        "taxes": _taxes(line, currency, rates),
        "requires_shipping": _ships(order),
    }
    quantity = READ.count(line.get("quantity"), "a quantity")
    if not quantity:
        raise READ.refused("a line has no units")
    after, taxed = _cents(line.get("total"), currency), _cents(line.get("total_tax"), currency)
    before = _cents(line.get("subtotal", line.get("total")), currency)
    taxed_before = _cents(line.get("subtotal_tax", line.get("total_tax")), currency)
    gross, net = (before + taxed_before, after + taxed) if inside else (before, after)
    return Priced(given, gross, net, _coupons(order), quantity)


def _fee(fee: Json, currency: str, inside: bool, rates: dict[str, str]) -> Priced:
    taxed = _cents(fee.get("total_tax"), currency)
    net = _cents(fee.get("total"), currency) + (taxed if inside else 0)
    name = first(fee.get("name"), fee.get("title"))[:90]
    given = {
        "sku": f"fee:{name}" if name else "fee",
        "external_id": READ.identity(fee.get("id"), "a fee's id"),
        "taxes": _taxes(fee, currency, rates),
        "requires_shipping": False,
    }
    return Priced(given, net, net, "", 1)


def _rebates(order: Json, currency: str) -> Iterator[Json]:
    """Fees below zero are discounts, with their tax."""
    for fee in READ.objects(order, "fee_lines"):
        total, taxed = _cents(fee.get("total"), currency), _cents(fee.get("total_tax"), currency)
        if total < 0:
            yield from discount(first(fee.get("name"), fee.get("title")), -total - min(taxed, 0))


def _sku(line: Json) -> str:
    """Shops that keep no SKUs have variations and products."""
    if sku := text(line.get("sku")):
        return sku[:100]
    for kind in ("variation", "product"):
        if (known_as := line.get(f"{kind}_id")) not in (None, 0, "0", ""):
            name = "variant" if kind == "variation" else kind
            return f"{name}:{READ.identity(known_as, f'a {kind}')}"
    return f"line:{READ.identity(line.get('id'), 'a line')}"


def _coupons(order: Json) -> str:
    codes = (text(x.get("code")) for x in READ.objects(order, "coupon_lines"))
    return ", ".join(filter(None, codes)) or "discount"


def _ships(order: Json) -> bool:
    """Nothing says what is virtual; what has neither a way nor an address to ship to is."""
    there = within(order, "shipping")
    return bool(READ.objects(order, "shipping_lines") or there.get("address_1"))


def _rates(order: Json) -> dict[str, str]:
    """Names of taxes by the ids of their rates."""
    return {
        str(x.get("rate_id")): first(x.get("label"), x.get("title"), x.get("rate_code"))
        for x in READ.objects(order, "tax_lines")
    }


def _taxes(line: Json, currency: str, rates: dict[str, str]) -> list[Json]:
    """`taxes` are not rounded, their sum `total_tax` is: each gets what it adds to the sum."""
    total = _cents(line.get("total_tax"), currency)
    parts = [x for x in READ.objects(line, "taxes") if x.get("total") not in (None, "", "0", 0)]
    names = [rates.get(str(x.get("id")), "") or "tax" for x in parts]
    shares = _shares([_decimal(x.get("total")) for x in parts], total, currency)
    named = zip(names, shares, strict=True) if shares else [(next(iter(names), "tax"), total)]
    return [{"name": name, "amount": amount} for name, amount in named if amount]


def _shares(parts: Sequence[Decimal], total: int, currency: str) -> list[int]:
    ends = [_rounded(sum(parts[: n + 1], Decimal()), currency) for n in range(len(parts))]
    ends = [min(end, total) for end in ends[:-1]] + [total] if ends else []
    shares = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    return shares if all(share >= 0 for share in shares) else []


def _shipping(
    order: Json, fees: list[Json], currency: str, inside: bool, rates: dict[str, str]
) -> Json:
    lines = READ.objects(order, "shipping_lines")
    charged = [*lines, *fees]
    taxes = [tax for each in charged for tax in _taxes(each, currency, rates)]
    price = sum(_cents(each.get("total"), currency) for each in charged)
    price += sum(tax["amount"] for tax in taxes) if inside else 0
    methods = (first(x.get("method_id"), x.get("method_title")) for x in lines)
    return {"method": next(filter(None, methods), "standard"), "price": price, "taxes": taxes}


def _money(order: Json, status: str, total: int) -> Json:
    """The shop holds the money. What is paid on delivery is not taken, and ships all the same."""
    on_delivery = text(order.get("payment_method")) == "cod" and status in PAID
    dated = bool(first(order.get("date_paid_gmt"), order.get("date_paid")))
    paid = dated or (status in PAID and not on_delivery)
    captured = total if paid else 0
    payment = {"provider": "external", "token": str(order["id"]), "captured": captured}
    settled = (paid or on_delivery) and status not in OVER
    if settled or not total or (status == "refunded" and _has_left(order)):
        return {"payment": payment}
    return {"payment": payment, "payment_hold": f"the order is {status[:60] or 'in no state'}"}


def _has_left(order: Json) -> bool:
    """All of it, told by us: that its money was given back stops nothing any more."""
    return 0 < sum(map(count_of, READ.objects(order, "line_items"))) <= shipped_units(order)


def _customer(order: Json) -> Json | None:
    billing, shipping = within(order, "billing"), within(order, "shipping")
    phone = first(billing.get("phone"), shipping.get("phone"))
    return customer(mailbox(billing.get("email")), _name(billing) or _name(shipping), phone)


def _address(order: Json) -> Json | None:
    """The buyer's own where it is shipped but nowhere else; a phone is asked for only once."""
    shipping, billing = within(order, "shipping"), within(order, "billing")
    found = shipping if shipping.get("address_1") or shipping.get("country") else billing
    if not _ships(order) or not text(found.get("country")):
        return None
    return {
        "name": _name(found),
        "company": text(found.get("company")),
        "line1": text(found.get("address_1")),
        "line2": text(found.get("address_2")),
        "city": text(found.get("city")),
        "region": text(found.get("state")),
        "postal_code": text(found.get("postcode")),
        "country": text(found.get("country")),
        "phone": first(found.get("phone"), billing.get("phone")),
    }


def _name(person: Json) -> str:
    return full_name(person.get("first_name"), person.get("last_name"))


def _fulfilled(order: Json, channel: str, known_as: str, at: datetime | None) -> Fulfilled:
    """Somebody set it completed, or a plugin did as soon as it was paid for: only a parcel tells
    that it was shipped. Which it was is known where a plugin kept just one."""
    items = meta(order).get("_wc_shipment_tracking_items")
    parcels = [x for x in items if isinstance(x, dict)] if isinstance(items, list) else []
    parcel = parcels[0] if len(parcels) == 1 else {}
    carrier = first(parcel.get("tracking_provider"), parcel.get("custom_tracking_provider"))
    number = text(parcel.get("tracking_number"))
    done = f"{known_as}:completed"
    return Fulfilled(
        channel, known_as, done, (), carrier, number, at, certain=bool(number or parcels)
    )


def refunds_of(order: Json, refunds: Iterable[Json], channel: str) -> list[Refunded]:
    """Those that are not ours. A refund does not say its currency."""
    return [_refunded(order, each, channel) for each in refunds if not key_of(each)]


def key_of(refund: Json) -> str:
    """Under which it was ours to give back; empty where it was not."""
    key = meta(refund).get(f"{MARK}key")
    return key if isinstance(key, str) else ""


def _refunded(order: Json, refund: Json, channel: str) -> Refunded:
    currency = READ.currency(order.get("currency"))
    return Refunded(
        channel,
        READ.identity(order.get("id"), "the order's id"),
        READ.identity(refund.get("id"), "the refund's id"),
        abs(READ.amount(refund.get("amount"), currency)),
        currency,
        tuple(_units_of(refund)),
        text(refund.get("reason")),
        changed_at(refund),
    )


def _units_of(refund: Json) -> Iterator[Units]:
    """Lines of a refund are below zero, and name the order's in their meta data."""
    for line in READ.objects(refund, "line_items"):
        count = READ.count(str(line.get("quantity", 0)).removeprefix("-"), "a quantity")
        known_as = line.get("refunded_item_id") or meta(line).get("_refunded_item_id") or ""
        if count:
            yield Units(count, text(str(known_as)), _sku(line))


def modern(body: Json) -> Json:
    """The legacy API has other names for the same, and puts the order into an object."""
    order = body["order"] if isinstance(body.get("order"), dict) else body
    if "order_number" not in order or "billing_address" not in order:
        return order
    paid = within(order, "payment_details")
    return {
        **order,
        "billing": order.get("billing_address"),
        "shipping": order.get("shipping_address"),
        "date_modified_gmt": order.get("updated_at"),
        "date_paid": "yes" if paid.get("paid") is True else None,
        "payment_method": paid.get("method_id"),
        "shipping_lines": _legacy_shipping(order),
        "refunds": order.get("refunds"),
    }


def _legacy_shipping(order: Json) -> list[Json]:
    lines = READ.objects(order, "shipping_lines")
    return [
        {"total_tax": "0", **x} if n else {"total_tax": order.get("shipping_tax"), **x}
        for n, x in enumerate(lines)
    ]


def _cents(value: Any, currency: str) -> int:
    """Of an amount that may have more decimals than the currency; none is none."""
    return 0 if value in (None, "") else _rounded(_decimal(value), currency)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str) or len(str(value)) > 40:
        raise READ.refused("an amount is no number")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise READ.refused("an amount is no number") from None
    if not found.is_finite() or abs(found) > MAX_AMOUNT:
        raise READ.refused("an amount is beyond all reason")
    return found


def _rounded(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(EXPONENTS[currency]).to_integral_value(ROUND_HALF_UP))
