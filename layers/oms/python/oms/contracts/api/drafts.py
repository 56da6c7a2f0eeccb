"""Drafts of orders: as much of an order as staff know so far."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import create_model
from pydantic.fields import FieldInfo

from oms.contracts.api.fields import Contract, Cursor, PageSize
from oms.contracts.api.orders import PlaceOrder
from oms.contracts.api.policies import Version
from oms.contracts.api.views import At, View


def _perhaps(field: FieldInfo) -> Any:
    annotation: Any = field.annotation
    known = Annotated[(annotation, *field.metadata)] if field.metadata else annotation
    return known | None, None


# What is there must be as it is in an order; `external_id` will be the draft's id.
DraftOrder = create_model(
    "DraftOrder",
    __base__=Contract,
    **{
        name: _perhaps(field)
        for name, field in PlaceOrder.model_fields.items()
        if name != "external_id"
    },
)


class PutDraft(Contract):
    """`version` is the one that was seen; `order` replaces all of it."""

    version: Version
    order: dict[str, Any]


class DraftQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class DraftSummary(View):
    """`order_id`: what became of it, once it was placed."""

    draft_id: str
    version: int
    created_by: str
    created_at: At
    updated_by: str
    updated_at: At
    expires_at: At
    order_id: str


class DraftView(DraftSummary):
    order: dict[str, Any]


class DraftPage(View):
    items: list[DraftSummary]
    cursor: str | None
