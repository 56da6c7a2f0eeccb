"""Policies, for those who answer for them: see what is in force, save what shall be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from oms.adapters.http_api import HttpApi, Request
from oms.adapters.policies_table import SavedPolicy, policies_table
from oms.contracts.api.policies import (
    POLICIES,
    PoliciesView,
    PolicyQuery,
    PolicySummary,
    PolicyView,
    PutPolicy,
    kind_of,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.errors import Conflict, NotFound

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE",)

app = HttpApi("PoliciesApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/policies")
def get_policies(request: Request) -> PoliciesView:  # noqa: ARG001  (nothing is asked)
    table = policies_table()
    return PoliciesView([_summary(name, table.newest(name, kind_of(name))) for name in POLICIES])


@app.route("GET", "/policies/{policy}")
def get_policy(request: Request) -> PolicyView:
    name, version = _name(request), request.read_query(PolicyQuery).version
    return policy_view(name, _saved(name, version))


@app.route("PUT", "/policies/{policy}")
def put_policy(request: Request) -> PolicyView:
    name, said = _name(request), request.read(PutPolicy)
    document, at = _document(name, said), datetime.now(UTC)
    try:
        version = policies_table().save(
            name, document, expected=said.version, at=at, actor=request.actor
        )
    except Conflict:
        saved = _saved(name, None)
        if (saved.version, saved.document) != (said.version + 1, document):
            raise
        return policy_view(name, saved)  # the same was saved before: its answer was lost
    return policy_view(name, SavedPolicy(document, version, request.actor, at))


def policy_view(name: str, saved: SavedPolicy[Any]) -> PolicyView:
    document = msgspec.to_builtins(saved.document)
    return PolicyView(name, saved.version, saved.saved_by, saved.saved_at, document)


def _summary(name: str, saved: SavedPolicy[Any]) -> PolicySummary:
    return PolicySummary(name, saved.version, saved.saved_by, saved.saved_at)


def _saved(name: str, version: int | None) -> SavedPolicy[Any]:
    table, kind = policies_table(), kind_of(name)
    return table.newest(name, kind) if version is None else table.version(name, version, kind)


def _name(request: Request) -> str:
    if (name := request.path["policy"]) not in POLICIES:
        raise NotFound("policy", name)
    return name


def _document(name: str, said: PutPolicy) -> Any:
    """A fault is told by its place in the request."""
    try:
        return POLICIES[name].read(said.document).document()
    except InvalidRequest as error:
        raise InvalidRequest(
            Fault("document" if field == "body" else f"document.{field}", reason)
            for field, reason in error.faults
        ) from None
