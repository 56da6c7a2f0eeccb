"""What is kept of a person: seen, exported, erased; and who read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from functions.privacy.desk import ENVIRONMENT as NEEDED
from functions.privacy.desk import desk
from functions.privacy.erasing import erase
from functions.privacy.exporting import export
from functions.privacy.gathering import Json, Sources
from functions.privacy.standing import erasure_view, privacy_view, read_view
from oms.adapters import dynamodb as db
from oms.adapters.access_log import access_log
from oms.adapters.credit_ledger import credit_ledger
from oms.adapters.customers_table import Change, customers_table
from oms.adapters.files import files
from oms.adapters.http_api import HttpApi, Request, Response
from oms.adapters.inquiry_texts import inquiry_texts
from oms.adapters.secrets import secrets
from oms.contracts.api.privacy import (
    ErasureView,
    ExportView,
    OfPerson,
    PrivacyView,
    ReadsPage,
    ReadsQuery,
)
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = NEEDED
CHANGES_AT_ONCE = 100

app = HttpApi("PrivacyApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/customers/{customer_id}/privacy")
def get_privacy(request: Request) -> PrivacyView:
    customer_id, at = _customer_id(request), datetime.now(UTC)
    access_log().read(request.actor, customer_id, "what is kept", "privacy", at)
    return privacy_view(desk(), access_log(), customer_id)


@app.route("GET", "/customers/{customer_id}/reads")
def get_reads(request: Request) -> ReadsPage:
    """Of this identity; a person's others have logs of their own."""
    query = request.read_query(ReadsQuery)
    page = access_log().page(_customer_id(request), query.limit, query.cursor)
    return ReadsPage([read_view(each) for each in page.reads], page.cursor)


@app.route("POST", "/customers/{customer_id}/export")
def make_export(request: Request) -> Response:
    customer_id, at = _customer_id(request), datetime.now(UTC)
    access_log().read(request.actor, customer_id, "everything", "export", at)
    made = export(desk(), sources(), customer_id, at=at, actor=request.actor)
    json_link, page_link = (files().download_link(name) for name in made.files)
    view = ExportView(made.export_id, customer_id, made.at, made.until, json_link, page_link)
    return Response(201, view, ids={"export_id": made.export_id})


@app.route("POST", "/customers/{customer_id}/erase")
def erase_person(request: Request) -> ErasureView:
    at = datetime.now(UTC)
    erasure = erase(desk(), _customer_id(request), at=at, actor=request.actor)
    return erasure_view(desk(), erasure)


def sources() -> Sources:
    return Sources(credit_ledger(), _notices, inquiry_texts(), access_log(), _changes)


def _notices(order_id: str) -> Iterator[Json]:
    """As they are noted; where they went, the contact says."""
    rows = db.query(
        db.client(),
        TableName=setting("REPORTS_TABLE"),
        KeyConditionExpression="PK = :pk",
        ExpressionAttributeValues={":pk": db.s(f"NOTICE#{order_id}")},
    )
    for row in rows:
        texts = {name: value["S"] for name, value in row.items() if "S" in value}
        yield {"notice": texts.pop("SK"), **{k: v for k, v in texts.items() if k != "PK"}}


def _changes(customer_id: str) -> Iterator[Change]:
    cursor: str | None = None
    while True:
        page = customers_table().changes(customer_id, CHANGES_AT_ONCE, cursor)
        yield from page.changes
        if (cursor := page.cursor) is None:
            return


def _customer_id(request: Request) -> str:
    """Staff may say the e-mail address itself: it is kept nowhere."""
    said = OfPerson.read(dict(request.path)).customer_id
    return secrets().customer_id(said) if "@" in said else said
