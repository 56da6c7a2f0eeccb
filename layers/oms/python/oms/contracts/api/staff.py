"""What warehouses, buyers and operators ask."""

from __future__ import annotations

from oms.contracts.api.fields import (
    Contract,
    Cursor,
    FreeText,
    PageSize,
)


class AttentionQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class ResolveAttention(Contract):
    reason: FreeText = ""
