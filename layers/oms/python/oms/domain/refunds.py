"""Money that is given back beside cancellations: for goods that came back, and as goodwill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CreditKind(StrEnum):
    RETURN = "return"
    GOODWILL = "goodwill"


class PartKind(StrEnum):
    """What a cent of a credit is for; those that are taken off have negative amounts."""

    PRICE = "price"
    DISCOUNT = "discount"
    TAX = "tax"
    SHIPPING = "shipping"
    GOODWILL = "goodwill"
    RESTOCKING_FEE = "restocking_fee"
    RETURN_SHIPPING = "return_shipping"
    NOT_CAPTURED = "not_captured"


@dataclass(frozen=True, slots=True)
class CreditPart:
    """Of a line: its units `first_unit … first_unit+quantity-1`; `name` is the discount's or
    tax's."""

    kind: PartKind
    amount: int
    line_id: str = ""
    first_unit: int = 0
    quantity: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Credit:
    """`parts` add up to `amount`, in minor units; `contained` are taxes inside of parts, which are
    not added; `cause` is the return's id. Its refunds have its id as their cause, and never exceed
    it. `untaken`: so much had not been captured for the goods, and will not be any more."""

    credit_id: str
    kind: CreditKind
    amount: int
    parts: tuple[CreditPart, ...]
    cause: str = ""
    reason: str = ""
    contained: tuple[CreditPart, ...] = ()
    untaken: int = 0

    def __post_init__(self) -> None:
        if self.amount < 0 or self.amount != sum(part.amount for part in self.parts):
            raise ValueError(f"{self.credit_id} is not the sum of its parts")
