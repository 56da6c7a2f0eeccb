"""Drafts of orders that staff take down: they may be incomplete, reserve nothing and expire.

Placed, they are ordinary orders.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions.capture.api import accepted, with_token
from oms.adapters.drafts_table import Draft, drafts_table
from oms.adapters.http_api import HttpApi, Request, Response
from oms.adapters.orders_table import fingerprint_of, orders_table
from oms.contracts.api.drafts import (
    DraftOrder,
    DraftPage,
    DraftQuery,
    DraftSummary,
    DraftView,
    PutDraft,
)
from oms.contracts.api.orders import PlaceOrder
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.ids import name_of, order_id_of

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
    "PAYMENT_PROVIDERS",
)
CHANNEL = "staff"

app = HttpApi("DraftsApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/drafts")
def post_draft(request: Request) -> Response:
    said, at = _said(request.json()), datetime.now(UTC)
    draft_id = f"drf_{name_of(request.actor, request.idempotency_key or uuid.uuid4().hex)}"
    asked = fingerprint_of(said)
    draft = Draft(draft_id, 1, request.actor, at, request.actor, at, asked=asked, said=said)
    found, new = drafts_table().add(draft)
    return Response(201 if new else 200, draft_view(found), ids={"draft_id": draft_id})


@app.route("GET", "/drafts")
def list_drafts(request: Request) -> DraftPage:
    query = request.read_query(DraftQuery)
    page = drafts_table().page(query.limit, query.cursor)
    return DraftPage([DraftSummary(**_summary(each)) for each in page.drafts], page.cursor)


@app.route("GET", "/drafts/{draft_id}")
def get_draft(request: Request) -> DraftView:
    return draft_view(_draft(request))


@app.route("PUT", "/drafts/{draft_id}")
def put_draft(request: Request) -> DraftView:
    asked = request.read(PutDraft)
    said, draft = _within("order", asked.order), _draft(request)
    changed = draft.changed(said, datetime.now(UTC), request.actor)
    drafts_table().save(replace(changed, version=asked.version + 1))
    return draft_view(replace(changed, version=asked.version + 1))


@app.route("DELETE", "/drafts/{draft_id}")
def delete_draft(request: Request) -> Response:
    """What became of it stays."""
    draft = _draft(request)
    drafts_table().remove(draft.draft_id)
    return Response(200, draft_view(draft))


@app.route("POST", "/drafts/{draft_id}/place")
def place_draft(request: Request) -> Response:
    """Once: whoever comes second finds the order. What was changed meanwhile is not placed."""
    draft = _draft(request)
    if draft.order_id:
        return Response(200, with_token(orders_table().get(draft.order_id)))
    said = PlaceOrder.read({"channel": CHANNEL, **draft.said, "external_id": draft.draft_id})
    placing = drafts_table().placing(draft, order_id_of(said.channel, said.external_id))
    order, new = accepted(said, actor=request.actor, beside=(placing,))
    return Response(201 if new else 200, with_token(order), ids={"order_id": order.order_id})


def draft_view(draft: Draft) -> DraftView:
    return DraftView(**_summary(draft), order=dict(draft.said))


def _summary(draft: Draft) -> dict[str, Any]:
    names = DraftSummary.__struct_fields__
    return {name: getattr(draft, name) for name in names}


def _draft(request: Request) -> Draft:
    return drafts_table().get(request.path["draft_id"], datetime.now(UTC))


def _said(order: Any) -> Mapping[str, Any]:
    """What was said, as it was understood."""
    return DraftOrder.read(order).model_dump(mode="json", exclude_unset=True)


def _within(name: str, order: Any) -> Mapping[str, Any]:
    try:
        return _said(order)
    except InvalidRequest as error:
        raise InvalidRequest(
            Fault(name if field == "body" else f"{name}.{field}", reason)
            for field, reason in error.faults
        ) from None
