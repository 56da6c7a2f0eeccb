"""What warehouses, buyers and operators ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from oms.contracts.api.fields import (
    Contract,
    Cursor,
    Day,
    FreeText,
    PageSize,
    Slug,
    backwards,
)
from oms.contracts.invalid import Fault


class SalesQuery(Contract):
    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None
    channel: Slug | None = None

    def faults(self) -> Iterator[Fault]:
        return backwards(self.first_day, self.last_day)


class AttentionQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class ResolveAttention(Contract):
    reason: FreeText = ""


class BooksQuery(Contract):
    """The books are checked whole, or from where the last page ended."""

    cursor: Cursor | None = None
