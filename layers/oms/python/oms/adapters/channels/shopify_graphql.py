"""Calls of Shopify's GraphQL Admin API, and what its answers mean."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from oms.adapters.channels.shop_answers import LONGEST_WAIT, asked, settled, without_secrets
from oms.adapters.channels.shop_api import Access, Later, RefusedByShop
from oms.adapters.channels.shop_fields import Json, text, within
from oms.adapters.channels.shopify_queries import VERSION
from oms.adapters.web import Unreachable

PATH = f"/admin/api/{VERSION}/graphql.json"
AGAIN = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "IDEMPOTENCY_CONCURRENT_REQUEST"})
GID = re.compile(r"gid://shopify/\w+/([0-9]{1,20})(\?.*)?", re.ASCII)


def ask(access: Access, document: str, variables: Mapping[str, Any]) -> Json:
    """The `data` of an answer without errors. Raises Later and RefusedByShop."""
    headers = {
        "content-type": "application/json",
        "x-shopify-access-token": access.credentials.get("access_token", ""),
    }
    body = json.dumps({"query": document, "variables": variables}).encode()
    answer = settled(access, asked(access, "POST", PATH, headers, body))
    try:
        found = answer.json()
    except Unreachable as error:
        raise Later(f"shopify: {error}") from None
    if not isinstance(found, dict):
        raise Later("shopify: the answer is not what was asked for")
    if errors := found.get("errors"):
        _raise(access, found, errors)
    return within(found, "data")


def _raise(access: Access, found: Json, errors: Any) -> None:
    listed = errors if isinstance(errors, list) else [{"message": str(errors)}]
    faults = [each for each in listed if isinstance(each, dict)]
    codes = {text(within(each, "extensions").get("code")) for each in faults}
    if "THROTTLED" in codes:
        raise Later("shopify: too many calls", _wait(found))
    said = ", ".join(sorted(codes - {""}))
    if codes & AGAIN or not faults:
        raise Later(f"shopify: {said or 'an error'}")
    said = said or without_secrets(access, "; ".join(text(x.get("message")) for x in faults))
    raise RefusedByShop(f"shopify: {said}")


def _wait(found: Json) -> int:
    """Seconds until what the query costs has come back."""
    cost = within(within(found, "extensions"), "cost")
    status = within(cost, "throttleStatus")
    try:
        short = _number(cost, "requestedQueryCost") - _number(status, "currentlyAvailable")
        seconds = short / max(_number(status, "restoreRate"), Decimal(1))
        return min(max(-int(-seconds // 1), 1), LONGEST_WAIT)
    except (InvalidOperation, OverflowError, ValueError):
        return 1


def _number(holder: Json, name: str) -> Decimal:
    return Decimal(str(holder.get(name, 0)))


def done(access: Access, data: Json, name: str, errors: str = "userErrors") -> Json:
    """The payload of a mutation that did what it was asked for."""
    payload = within(data, name)
    listed = each_of(payload, errors)
    if not payload:
        raise Later("shopify: the answer is not what was asked for")
    if not listed:
        return payload
    if any(text(each.get("code")) in AGAIN for each in listed):
        raise Later("shopify: it is being done")
    said = "; ".join(f"{_field(each)} {text(each.get('message'))}".strip() for each in listed)
    raise RefusedByShop(f"shopify: {without_secrets(access, said)}")


def _field(error: Json) -> str:
    field = error.get("field")
    return ".".join(map(str, field)) if isinstance(field, list) else ""


def order_of(data: Json) -> Json:
    if "order" not in data:
        raise Later("shopify: the answer is not what was asked for")
    if not (order := within(data, "order")):
        raise RefusedByShop("shopify: there is no such order")
    return order


def nodes(holder: Json, name: str) -> list[Json]:
    return each_of(within(holder, name), "nodes")


def each_of(holder: Json, name: str) -> list[Json]:
    found = holder.get(name)
    return [x for x in found if isinstance(x, dict)] if isinstance(found, list) else []


def units_in(holder: Json, name: str) -> int:
    """Of a count that should be one."""
    found = holder.get(name)
    return found if isinstance(found, int) and found > 0 else 0


def next_of(holder: Json, name: str) -> str:
    """The cursor of the page after, empty at the end."""
    info = within(within(holder, name), "pageInfo")
    return text(info.get("endCursor")) if info.get("hasNextPage") is True else ""


def gid(kind: str, known_as: str) -> str:
    """Of an id as the REST API has it."""
    if not known_as.isascii() or not known_as.isdecimal():
        raise RefusedByShop(f"shopify: {known_as[:30]!r} is no id there")
    return f"gid://shopify/{kind}/{known_as}"


def number(found: Any) -> str:
    """The REST API's id in one of GraphQL; empty where it is none."""
    known = GID.fullmatch(str(found))
    return known[1] if known else ""
