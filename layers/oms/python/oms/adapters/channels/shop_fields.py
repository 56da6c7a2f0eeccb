"""What bodies of shops are read with: each value is checked, and none is guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from oms.adapters.channels.base import MalformedOrder
from oms.domain.countries import COUNTRIES
from oms.domain.currencies import EXPONENTS, NotAnAmount, minor_units

Json = dict[str, Any]

MAILBOX = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LONGEST = 200
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
LARGEST = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class ShopFields:
    """Of one channel, whose MalformedOrder is raised for what cannot be read."""

    code: str

    def refused(self, why: str) -> MalformedOrder:
        return MalformedOrder(self.code, why)

    def parsed(self, body: bytes) -> Json:
        """Numbers with a point stay the text they are: a float would not be the amount."""
        try:
            found = json.loads(body, parse_float=str)
        except (ValueError, RecursionError):
            raise self.refused("the body is no JSON") from None
        if not isinstance(found, dict):
            raise self.refused("the body is no object")
        return found

    def objects(self, holder: Json, name: str) -> list[Json]:
        found = holder.get(name) or []
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.refused(f"{name} is no list of objects")
        return found

    def identity(self, value: Any, what: str) -> str:
        """Ids are integers beyond 2^53: as text, digit for digit."""
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,20}", str(value), re.ASCII):
            raise self.refused(f"{what} is missing or is no number")
        return str(value)

    def amount(self, value: Any, currency: str) -> int:
        """A decimal string, or the number some versions send; whole minor units or refused."""
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise self.refused("an amount is missing or is no number")
        try:
            return minor_units(str(value), currency)
        except NotAnAmount as error:
            raise self.refused(str(error)) from None

    def count(self, value: Any, what: str) -> int:
        """A whole number, or the text of one."""
        found = re.fullmatch(r"(\d{1,9})(\.0+)?", str(value), re.ASCII)
        if found is None or isinstance(value, bool):
            raise self.refused(f"{what} is no whole number")
        return int(found[1])

    def currency(self, value: Any) -> str:
        if not isinstance(value, str) or value not in EXPONENTS:
            raise self.refused("the currency is none")
        return value


class ExactFields(ShopFields):
    """Of a platform that computes with more decimals than anybody pays."""

    __slots__ = ()

    def number(self, value: Any, what: str) -> Decimal:
        """An integer, or a number's text. Exact."""
        given = "" if isinstance(value, bool) else str(value)
        found = Decimal(given) if NUMBER.fullmatch(given) else None
        if found is None or abs(found) >= LARGEST:
            raise self.refused(f"{what} is missing or is no number")
        return found

    def exact(self, value: Any, currency: str, what: str) -> Decimal:
        """In minor units; what is less than one of them is behind the point."""
        return self.number(value, what).scaleb(EXPONENTS[self.currency(currency)])

    def whole(self, units: Decimal, what: str) -> int:
        """Nobody can pay a part of a minor unit."""
        if units != units.to_integral_value():
            raise self.refused(f"{what} is {units} minor units")
        return int(units)

    def amount(self, value: Any, currency: str, what: str = "an amount") -> int:
        """In whole minor units: more decimals than the currency has are zeros, or refused."""
        return self.whole(self.exact(value, currency, what), what)


def within(holder: Json, name: str) -> Json:
    """The object of this name, empty where there is none; PHP says `[]` for an empty one."""
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def text(value: Any) -> str:
    """What a person typed, on one line, without control characters, cut to what we keep."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:LONGEST]


def first(*values: Any) -> str:
    return next(filter(None, map(text, values)), "")


def instant(value: Any) -> datetime | None:
    """Of ISO 8601 with its zone; None where it is none."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if found.tzinfo is None or not 2000 <= found.year < 2100:
        return None
    return found.astimezone(UTC)


def mailbox(*values: Any) -> str | None:
    """The first that is an address; what is none is left out rather than refused."""
    return next((x for x in map(text, values) if MAILBOX.fullmatch(x)), None)


def full_name(given: Any, family: Any) -> str:
    return f"{text(given)} {text(family)}".strip()[:LONGEST]


def customer(email: str | None, name: str, phone: str = "") -> Json | None:
    found = {"email": email, "name": name, "phone": phone}
    return found if any(found.values()) else None


def country(value: Any) -> str | None:
    return found if (found := text(value)) in COUNTRIES else None


def unit_price(gross: int, quantity: int) -> tuple[int, list[Json]]:
    """What one unit costs where the price of all is known, and what is taken off again where it
    does not divide."""
    unit = -(-gross // quantity)
    over = unit * quantity - gross
    return unit, [{"code": "rounding", "amount": over}] if over else []


def discount(code: str, amount: int) -> list[Json]:
    return [{"code": code[:100] or "discount", "amount": amount}] if amount else []


def tax(amount: int, name: str = "tax", rate: str = "0") -> list[Json]:
    return [{"name": name or "tax", "rate": rate, "amount": amount}] if amount else []


def rounded_together(units: Iterable[Decimal]) -> Iterator[int]:
    """Each rounded, what that leaves over carried to the next: their sum is the sum, rounded."""
    given, told = Decimal(0), 0
    for each in units:
        given += each
        yield int(given.to_integral_value()) - told
        told = int(given.to_integral_value())


def split(amount: Decimal, weights: Iterable[Decimal | int]) -> list[Decimal]:
    """By weight, the last part what is left: they add up to the amount."""
    by = list(weights)
    parts = [amount * each / (sum(by) or 1) for each in by[:-1]]
    return [*parts, amount - sum(parts)]


def decimal_text(amount: int, currency: str) -> str:
    """1234 USD is "12.34"; JPY has no point."""
    return f"{Decimal(amount).scaleb(-EXPONENTS[currency]):f}"
