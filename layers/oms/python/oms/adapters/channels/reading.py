"""What payloads of marketplaces are read with: every value is checked, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from oms.adapters.channels import shop_fields
from oms.adapters.channels.base import MalformedOrder
from oms.adapters.channels.shop_fields import LONGEST, Json, ShopFields, text
from oms.contracts.api.orders import ChannelOrder

NAME_OF_ONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,149}", re.ASCII)
SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
HALF_A_DAY = timedelta(hours=12)


class Reader(ShopFields):
    """Of the payloads of one channel: what cannot be read raises its MalformedOrder."""

    __slots__ = ()

    def within(self, holder: Json, name: str) -> Json:
        """The object of this name, empty where there is none."""
        found = holder.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise self.refused(f"{name} is no object")
        return found

    def identity(self, value: Any, what: str) -> str:
        """Ids are text, or integers beyond 2^53: as text, digit for digit."""
        if isinstance(value, bool) or not NAME_OF_ONE.fullmatch(str(value or "")):
            raise self.refused(f"{what} is missing or is none")
        return str(value)

    def minor(self, value: Any) -> int:
        """An amount that is counted in minor units already."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refused("an amount is missing or is no integer")
        return value

    def same(self, found: Any, currency: str) -> None:
        """Every amount of an order is in the order's currency."""
        if found != currency:
            raise self.refused(f"an amount in {text(found)[:3]!r} in an order in {currency!r}")

    def peeked(self, body: bytes) -> Json:
        """Before anybody believes it: empty where it cannot be read."""
        try:
            return self.parsed(body)
        except MalformedOrder:
            return {}


def shop_name(found: Any) -> str:
    """A number or a name as a slug; empty where it is none."""
    known = isinstance(found, int | str) and not isinstance(found, bool)
    shop = str(found).lower() if known else ""
    return shop if SLUG.fullmatch(shop) else ""


def is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def instant(value: Any) -> datetime | None:
    """Of ISO 8601, down to nanoseconds, or of an epoch in milliseconds; None where it is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return shop_fields.instant(value)
    try:
        found = datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if 2000 <= found.year < 2100 else None


def promised_day(value: Any) -> date | None:
    """Marketplaces promise until the end of a day where the buyer is, as an instant: half a day
    before it is that day from Los Angeles to Sydney."""
    until = instant(value)
    return None if until is None else (until - HALF_A_DAY).date()


def kept_day(value: Any) -> str | None:
    day = promised_day(value)
    return None if day is None or day.year < 2000 else day.isoformat()


def sold(order: Json, including: int, excluding: int) -> ChannelOrder:
    """The order, its prices with or without its taxes: as its total says. `including` is the sum of
    its parts where the taxes are in the prices, `excluding` where they come on top."""
    if order.get("total") is None:
        order = {**order, "total": excluding}
    inside = order["total"] == including != excluding
    return ChannelOrder.read({**order, "tax_included": inside})


def taken(token: str, captured: int, total: int, hold: str = "") -> Json:
    """The channel holds the money. Nothing ships for money that nobody took."""
    payment = {"provider": "external", "token": token, "captured": min(captured, total)}
    if hold or captured < total:
        said = hold or f"{captured} of {total} were taken"
        return {"payment": payment, "payment_hold": text(said)}
    return {"payment": payment}


def lines_of(parts: Iterable[Any]) -> tuple[str, str]:
    """The lines of an address after the first are one."""
    said = [x for x in map(text, parts) if x]
    return (said[0] if said else ""), ", ".join(said[1:])[:LONGEST]
