"""The words that requests are made of, each with its limits."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.countries import COUNTRIES
from oms.domain.currencies import EXPONENTS

MAX_QUANTITY = 1_000_000
MAX_UNIT_PRICE = 10**12
MAX_TOTAL = 10**15  # still exact where numbers are doubles
MAX_LINES = 5_000
YEARS = range(2000, 2100)
MAX_NAME = 60  # of a field that is echoed

PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
MAILBOX = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+\.[^@\s\x00-\x1f\x7f-\x9f]+$"
REASONS = {PRINTABLE: "has control characters", MAILBOX: "is no e-mail address"}


class Contract(BaseModel):
    """Nothing is guessed: no unknown field, no `true` for 1, no "2" for 2, no 2.0 for 2."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True
    )

    @classmethod
    def read(cls, data: Any) -> Self:
        """The request, or InvalidRequest with every fault that can be told at once."""
        try:
            request = cls.model_validate(data)
        except ValidationError as error:
            raise InvalidRequest(_faults(error)) from None
        if faults := tuple(request.faults()):
            raise InvalidRequest(faults)
        return request

    def faults(self) -> Iterator[Fault]:
        """What is wrong between fields that are each right."""
        return iter(())


def _faults(error: ValidationError) -> Iterator[Fault]:
    for each in error.errors(include_url=False, include_input=False):
        pattern = each.get("ctx", {}).get("pattern", "")
        yield Fault(_path(each["loc"]), REASONS.get(pattern, each["msg"]))


def _path(places: tuple[int | str, ...]) -> str:
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p[:MAX_NAME]}" for p in places)
    return path.removeprefix(".") or "body"


def repeats(names: Iterable[Hashable]) -> Iterator[int]:
    """Places of those that were given before."""
    seen: set[Hashable] = set()
    for place, name in enumerate(names):
        if name in seen:
            yield place
        seen.add(name)


def backwards(first_day: date | None, last_day: date | None) -> Iterator[Fault]:
    if first_day and last_day and first_day > last_day:
        yield Fault("to", "is before from")


def _known_currency(code: str) -> str:
    if code not in EXPONENTS:
        raise PydanticCustomError("currency", "is no currency of ISO 4217")
    return code


def _known_country(code: str) -> str:
    if code not in COUNTRIES:
        raise PydanticCustomError("country", "is no country code of ISO 3166-1 alpha-2")
    return code


def _day(value: Any) -> date:
    try:
        if isinstance(value, str) and len(value) == len("yyyy-mm-dd"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("day", "is no day of the form yyyy-mm-dd")


def _instant(value: Any) -> datetime:
    """A number would be taken for seconds of some epoch, a far year for none of a calendar."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise PydanticCustomError("instant", "is no instant of ISO 8601") from None
    if found.year not in YEARS:
        raise PydanticCustomError("instant", "is not of this century")
    return found


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _text(longest: int, shortest: int = 1) -> StringConstraints:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=PRINTABLE)


Code = Annotated[str, _text(100)]  # a SKU, a discount code, a tracking number
Label = Annotated[str, _text(200)]
Reason = Annotated[str, _text(500)]
FreeText = Annotated[str, _text(200, shortest=0)]
Slug = Annotated[str, StringConstraints(max_length=120, pattern=r"^[a-z0-9][a-z0-9._:-]*$")]
Identity = Annotated[str, StringConstraints(max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Rate = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]?)(\.[0-9]{1,12})?$")]
Email = Annotated[str, StringConstraints(max_length=254, pattern=MAILBOX)]
Currency = Annotated[
    str, AfterValidator(_known_currency), Field(json_schema_extra={"pattern": "^[A-Z]{3}$"})
]
Country = Annotated[
    str, AfterValidator(_known_country), Field(json_schema_extra={"pattern": "^[A-Z]{2}$"})
]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
Amount = Annotated[int, Field(ge=0, le=MAX_TOTAL)]
UnitPrice = Annotated[int, Field(ge=0, le=MAX_UNIT_PRICE)]
Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant), Field(strict=False)]
Codes = Annotated[list[Code], BeforeValidator(_listed), Field(min_length=1, max_length=100)]
PageSize = Annotated[int, Field(strict=False, ge=1, le=200)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
