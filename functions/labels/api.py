"""What a packing station asks: what a parcel costs, its label, and the list of the day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.labels import counter as desk
from functions.labels.counter import Counter, Wanted
from functions.labels.manifests import Listing, list_parcels, waiting
from functions.labels.till import void
from oms.adapters.access_log import LoggedContacts, access_log
from oms.adapters.carriers.label_carriers import labels_of
from oms.adapters.carriers.labels import Rate
from oms.adapters.files import download_link, files
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.labels_table import LabelRow, ManifestRow, labels_table
from oms.adapters.network_table import network_table
from oms.adapters.orders_table import fingerprint_of, orders_table
from oms.adapters.vault import vault
from oms.contracts.api.fields import Contract, Identity
from oms.contracts.api.labels import (
    BuyLabel,
    LabelDocumentView,
    LabelsView,
    LabelView,
    ManifestView,
    ParcelMeasured,
    PostManifest,
    RatesView,
    RateView,
    SilentCarrierView,
    VoidedLabelView,
)
from oms.domain.ids import order_of_fulfillment
from oms.domain.network.rates import Load
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = (
    *("ORDERS_TABLE", "STOCK_TABLE", "CUSTOMERS_TABLE", "KEYS_TABLE", "VAULT_KEY_ID"),
    *("FILES_BUCKET", "SECRET_ID", "LABEL_CARRIERS", "EASYPOST_API"),
)

app = HttpApi("LabelsApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


class AtLocation(Contract):
    location: Identity


def counter(actor: str) -> Counter:
    carriers = setting("LABEL_CARRIERS").split(",")
    return Counter(
        orders_table(),
        LoggedContacts(vault(), access_log(), actor, "label", lambda: datetime.now(UTC)),
        network_table(),
        files(),
        labels_table(),
        lambda cards: labels_of(carriers, cards),
        lambda: datetime.now(UTC),
    )


@app.route("POST", "/fulfillment-orders/{id}/rates")
def get_rates(request: Request) -> RatesView:
    measured = load_of(request.read(ParcelMeasured))
    found = desk.rates(counter(request.actor), request.path["id"], measured)
    silent = [SilentCarrierView(carrier, reason) for carrier, reason in found.silent]
    return RatesView(list(map(rate_view, found.rates)), silent)


@app.route("POST", "/fulfillment-orders/{id}/labels")
def buy_label(request: Request) -> LabelView:
    said, key = request.read(BuyLabel), _key(request)
    wanted = Wanted(
        said.carrier, said.service, load_of(said.parcel), fingerprint_of(request.json())
    )
    return label_view(
        desk.buy(counter(request.actor), request.path["id"], wanted, request.actor, key)
    )


@app.route("GET", "/fulfillment-orders/{id}/labels")
def get_labels(request: Request) -> LabelsView:
    identity = request.path["id"]
    order_id = order_of_fulfillment(identity)
    orders_table().get(order_id).fulfillment_order(identity)
    rows = labels_table().of_order(order_id)
    return LabelsView([label_view(row) for row in rows if row.fulfillment_order_id == identity])


@app.route("GET", "/labels/{id}")
def get_label(request: Request) -> LabelView:
    return label_view(labels_table().get(request.path["id"]))


@app.route("POST", "/labels/{id}/void")
def void_label(request: Request) -> VoidedLabelView:
    outcome, row = void(counter(request.actor).till, request.path["id"])
    return VoidedLabelView(outcome, label_view(row))


@app.route("POST", "/locations/{location}/manifests")
def post_manifest(request: Request) -> ManifestView:
    location_id = AtLocation.read(dict(request.path)).location
    said, key, here = request.read(PostManifest), _key(request), counter(request.actor)
    body = fingerprint_of(request.json())
    listing = Listing(location_id, said.carrier, said.service or "", body)
    row = list_parcels(here, listing, request.actor, key)
    left = {each.label_id for each in waiting(here, listing)} - set(row.labels)
    return manifest_view(row, len(left))


def load_of(said: ParcelMeasured) -> Load:
    sides = (said.length_mm or 0, said.width_mm or 0, said.height_mm or 0)
    return Load(1, said.weight_g, *sides)


def rate_view(rate: Rate) -> RateView:
    return RateView(
        rate.carrier,
        rate.service,
        rate.amount,
        rate.currency,
        rate.days,
        rate.deliver_by,
        rate.rate_id,
    )


def label_view(row: LabelRow) -> LabelView:
    documents = [
        LabelDocumentView(name.rpartition(".")[2], download_link(name)) for name in row.documents
    ]
    return LabelView(
        row.label_id,
        row.fulfillment_order_id,
        row.location_id,
        row.carrier,
        row.service,
        row.status,
        row.weight_g,
        row.tracking_number,
        row.cost,
        row.currency,
        documents,
        row.bought_at,
        row.voided_at,
        row.manifest_id,
        row.reason,
    )


def manifest_view(row: ManifestRow, left: int) -> ManifestView:
    return ManifestView(
        row.manifest_id,
        row.location_id,
        row.carrier,
        row.day,
        row.number,
        row.status,
        list(row.labels),
        download_link(row.document),
        left,
    )


def _key(request: Request) -> str:
    if (key := request.idempotency_key) is None:
        said = "a label is bought once for each key: send one, and the same one again"
        raise Problem(400, "Idempotency-Key is missing", said)
    return key
