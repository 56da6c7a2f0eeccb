"""docs/openapi.json out of the routes and the contracts: `python -m infra.openapi` writes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
from pydantic.json_schema import models_json_schema

from oms.contracts import api
from oms.contracts.api import Contract
from oms.contracts.routes import RESOURCE_SERVER, ROUTES, SCOPES, Route, supply
from oms.domain.reporting.catalogue import REPORTS

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"
SCHEMAS = "#/components/schemas/{name}"

QUERIES: dict[str, type[Contract]] = {
    "GET /orders": api.OrderQuery,
    "GET /orders/{order_id}/events": api.HistoryQuery,
    "GET /drafts": api.DraftQuery,
    "GET /orders/{order_id}/edits": api.EditQuery,
    "GET /availability": api.AvailabilityQuery,
    "GET /stock/{sku}": api.StockQuery,
    "GET /stock/{sku}/movements": api.MovementQuery,
    "GET /fulfillment-orders": api.FulfillmentOrderQuery,
    **{f"GET /reports/{name}": api.ReportQuery for name in REPORTS},
    "GET /attention": api.AttentionQuery,
    "GET /jobs": api.JobQuery,
    "GET /purchase-orders": api.PurchaseQuery,
    "GET /transfers": api.TransferQuery,
    "GET /orders/{order_id}/routing": api.RoutingQuery,
    "GET /routing/rule-sets": api.RuleSetQuery,
    "GET /locations/{location}/capacity": api.CapacityQuery,
    "GET /rates/{carrier}": api.CardQuery,
    "GET /policies/{policy}": api.PolicyQuery,
    "GET /notices/templates/{event}": api.TemplateQuery,
    "GET /customers/{customer_id}/store-credit": api.CreditQuery,
    "GET /customers": api.CustomerQuery,
    "GET /customers/{customer_id}/orders": api.CustomerOrdersQuery,
    "GET /customers/{customer_id}/changes": api.CustomerChangesQuery,
    "GET /customers/{customer_id}/reads": api.ReadsQuery,
    "GET /reconciliations": api.ReconciliationQuery,
    "GET /reconciliations/{id}/lines": api.StatementLineQuery,
    "GET /subscribers/{subscriber_id}/deliveries": api.WebhookDeliveryQuery,
    "GET /segments/{segment}": api.SegmentQuery,
    "GET /segments/{segment}/members": api.SegmentMemberQuery,
    "GET /gift-cards/{gift_card_id}": api.GiftCardQuery,
    "GET /rates/{carrier}/{table}": api.CardQuery,
    "GET /inbox": api.InboxQuery,
    "GET /shops/{shop}/tasks": api.ShopTaskQuery,
    "GET /reports/promises": api.PromiseReportQuery,
    "GET /books": api.BooksQuery,
    "GET /inquiries": api.InquiryQuery,
    "GET /orders/{order_id}/timeline": api.TimelineQuery,
    "GET /books/checks/{id}": api.CheckQuery,
    "GET /books/tasks": api.BookTaskQuery,
}
KEYED = frozenset(
    {
        "POST /orders",
        "POST /orders/{order_id}/edits",
        "POST /orders/{order_id}/edits/{edit_id}/apply",
        "POST /drafts",
        "POST /stock/{sku}/{location}/receipts",
        "POST /stock/{sku}/{location}/adjustments",
        "POST /stock/{sku}/{location}/counts",
        "POST /holds",
        "POST /fulfillment-orders/{id}/short-pick",
        "POST /fulfillment-orders/{id}/labels",
        "POST /locations/{location}/manifests",
        "POST /routing/simulations",
        "POST /orders/{order_id}/refunds",
        "POST /orders/{order_id}/returns",
        "POST /returns/{return_id}/receive",
        "POST /returns/{return_id}/inspect",
        "POST /track/{token}/returns",
        "POST /orders/{order_id}/notices/{event_id}/resend",
        "POST /inquiries",
        "POST /inquiries/{inquiry_id}/messages",
        "POST /inquiries/{inquiry_id}/notes",
        "POST /inquiries/{inquiry_id}/resolve",
        "POST /segments/{segment}/exports",
        "POST /stock/imports",
        "POST /orders/imports",
        "POST /stock/exports",
        "POST /customers/{customer_id}/store-credit",
        "POST /customers/{customer_id}/store-credit/adjustments",
        "POST /gift-cards",
        "POST /gift-cards/{gift_card_id}/cancel",
        "POST /gift-cards/{gift_card_id}/code",
        *(f"{route.method} {route.path}" for route in supply.ROUTES if route.method == "POST"),
    }
)
KEY_NEEDED = frozenset(
    {
        "POST /fulfillment-orders/{id}/labels",
        "POST /locations/{location}/manifests",
        "POST /orders/{order_id}/notices/{event_id}/resend",
    }
)
HTML = {"text/html": {"schema": {"type": "string"}}}
PAGE = "GET /track/{token}"  # JSON for whoever accepts it
FORMS = ("/track/{token}/return", "/track/{token}/inquiry")
CHOICES = "/notices/unsubscribe/{token}"
PREVIEW = "POST /notices/templates/preview"  # HTML for whoever accepts it
FORM_FIELDS = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
CSV = {"text/csv": {"schema": {"type": "string"}}}
SHAKEN = {
    "text/plain": {"schema": {"type": "string"}},
    "application/json": {"schema": {"type": "object"}},
}
HANDSHAKE = "GET /channels/{channel}/webhooks"
TABLES = "/rates/{carrier}/{table}"  # whose rows are CSV, said and answered
CREATES = frozenset(
    {
        "POST /customers/{customer_id}/store-credit",
        "POST /customers/{customer_id}/store-credit/adjustments",
        "POST /gift-cards",
        "POST /orders",
        "POST /orders/{order_id}/edits",
        "POST /drafts",
        "POST /drafts/{draft_id}/place",
        "POST /holds",
        "POST /purchase-orders",
        "POST /transfers",
        "POST /routing/rule-sets",
        "POST /orders/{order_id}/returns",
        "POST /track/{token}/returns",
        "POST /inquiries",
        "POST /notices/templates",
    }
)
WAITS = frozenset({"POST /orders/{order_id}/edits/{edit_id}/apply"})
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key with the same body is carried out once; with another body, 409.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
REFUSALS = {
    400: "The request cannot be read",
    404: "There is no such thing",
    409: "It does not fit what is there now",
    413: "The body is larger than 1 MB",
    415: "The body is of another type",
    422: "Fields are refused; `errors` names each",
    429: "Others write the same at this moment; the same again may go through (`Retry-After`)",
    500: "A surprise on our side; nothing was written",
}
GATEWAY = {401: "The token is missing or not ours", 403: "The token lacks the scope"}


def model(name: str) -> type[Any]:
    """A model by its name in the table of routes; views may leave their suffix out there."""
    return getattr(api, name, None) or getattr(api, f"{name}View")  # type: ignore[no-any-return]


def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Baton",
            "version": "1",
            "description": "Orders from the click to the delivery. Amounts are integers of the "
            "smallest unit of their currency; times are UTC.",
        },
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "responses": _refusals(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Scopes: " + "; ".join(_scopes()),
                }
            },
        },
    }


def text() -> str:
    return f"{json.dumps(document(), indent=2, ensure_ascii=False)}\n"


def _scopes() -> list[str]:
    return [f"{RESOURCE_SERVER}/{scope}: {meaning}" for scope, meaning in SCOPES.items()]


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.path.split("/")[1]],
        "security": [{"token": [f"{RESOURCE_SERVER}/{route.scope}"]}] if route.scope else [],
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_headers(route)],
        "responses": _responses(route),
    }
    if route.request:
        needed = any(field.is_required() for field in model(route.request).model_fields.values())
        operation["requestBody"] = {"required": needed, "content": _json(route.request)}
    if route.method == "POST" and route.path in (*FORMS, CHOICES):
        operation["requestBody"] = {"required": True, "content": FORM_FIELDS}
    if route.key == f"PUT {TABLES}":
        operation["requestBody"] = {"required": True, "content": CSV}
    return operation


def _operation_id(route: Route) -> str:
    words: list[str] = re.findall(r"[A-Za-z]+", f"{route.method.lower()} {route.path}")
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", route.path)
    schema = {"type": "string"}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.key not in QUERIES:
        return []
    schema = QUERIES[route.key].model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _said(each)}
        for name, each in schema["properties"].items()
    ]


def _said(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out, never null."""
    kinds = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    return {key: value for key, value in kinds[0].items() if key != "title"}


def _headers(route: Route) -> list[dict[str, Any]]:
    must = {"required": True} if route.key in KEY_NEEDED else {}
    return [KEY_HEADER | must] if route.key in KEYED else []


def _responses(route: Route) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if route.response:
        done["content"] = _json(route.response)
    if route.key == f"GET {TABLES}":
        done["content"] = CSV
    if route.key == HANDSHAKE:
        done["content"] = SHAKEN
    is_page = route.path == CHOICES or (route.method == "GET" and route.path in FORMS)
    if is_page or route.key in (PAGE, PREVIEW):
        done["content"] = HTML | done.get("content", {})
    if route.method == "POST" and route.path in FORMS:
        return {"303": {"description": "Accepted: the order's page"}} | _refused(route)
    responses = {"200": done}
    if route.key in CREATES:
        created = done | {"description": "Accepted as a new one"}
        responses = {"200": done | {"description": "Accepted before"}, "201": created}
    if route.key in WAITS:
        responses["202"] = done | {"description": "Accepted; it waits for its money"}
    return responses | _refused(route)


def _refused(route: Route) -> dict[str, Any]:
    return {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in _statuses(route)
    }


def _statuses(route: Route) -> list[int]:
    missing = [404] if "{" in route.path else []
    refused = [409, 413] if route.method != "GET" else []
    other = [415] if route.key == f"PUT {TABLES}" else []
    gateway = GATEWAY if route.scope else [401]
    return sorted([400, *gateway, *missing, *refused, *other, 422, 429, 500])


def _refusals() -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": SCHEMAS.format(name="Problem")}}}
    message = {"type": "object", "properties": {"message": {"type": "string"}}}
    told = {str(s): {"description": d, "content": problem} for s, d in REFUSALS.items()}
    gateway = {"application/json": {"schema": message}}
    return told | {str(s): {"description": d, "content": gateway} for s, d in GATEWAY.items()}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": SCHEMAS.format(name=name)}}}


def _schemas() -> dict[str, Any]:
    """Of requests by pydantic, of responses by msgspec; named as in the table of routes."""
    asked = [model(name) for name in sorted({route.request or "" for route in ROUTES}) if name]
    answered = [model(name) for name in sorted({route.response or "" for route in ROUTES}) if name]
    _, requests = models_json_schema(
        [(each, "validation") for each in asked], ref_template=SCHEMAS.replace("{name}", "{model}")
    )
    _, responses = msgspec.json.schema_components([*answered, api.Problem], ref_template=SCHEMAS)
    schemas = requests["$defs"] | responses
    return json.loads(  # type: ignore[no-any-return]
        re.sub(r'"([#/a-z]*)([A-Z]\w+)View"', r'"\1\2"', json.dumps(dict(sorted(schemas.items()))))
    )


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(text())
