"""Shops on other platforms: where they are, what they call our items, what they said in vain."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from functions.capture.intake import NEEDS, Done, NotUnderstood, intake, problem_of, reason_of
from functions.capture.work_inbox import Fetcher
from oms.adapters.channel_inbox import FAILED, Kept, channel_inbox
from oms.adapters.channels import CHANNELS, SHOP_APIS
from oms.adapters.fetch_queue import Errand
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.poll_cursors import poll_cursors
from oms.adapters.shops_table import shops_table
from oms.adapters.web import Unreachable
from oms.contracts.api.channels import (
    InboxMessageView,
    InboxPage,
    InboxQuery,
    InboxView,
    MapSkus,
    PutShop,
    ReplayView,
    ShopPage,
    ShopView,
    SkusView,
)
from oms.contracts.invalid import InvalidRequest
from oms.contracts.routes import RESOURCE_SERVER
from oms.domain.currencies import NotAnAmount
from oms.domain.errors import Contended, NotFound, OmsError
from oms.domain.shops import Shop

ENVIRONMENT: tuple[str, ...] = NEEDS

NAME = re.compile(r"[a-z0-9_]+(:[a-z0-9][a-z0-9._:-]{0,99})?", re.ASCII)
WHOLE = frozenset({"ops", f"{RESOURCE_SERVER}/ops"})  # scopes that see what customers said

app = HttpApi("ChannelsApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/shops")
def list_shops(request: Request) -> ShopPage:  # noqa: ARG001
    return ShopPage([shop_view(shop) for shop in shops_table().all()])


@app.route("GET", "/shops/{shop}")
def get_shop(request: Request) -> ShopView:
    return shop_view(shops_table().get(request.path["shop"]))


@app.route("PUT", "/shops/{shop}")
def put_shop(request: Request) -> ShopView:
    name, said = _name(request), request.read(PutShop)
    shop = Shop(
        name,
        said.base_url.rstrip("/"),
        tuple(dict.fromkeys(said.told)),
        said.polled,
        tuple(sorted(said.locations.items())),
        tuple(sorted(said.settings.items())),
    )
    shops_table().put(shop)
    return shop_view(shop)


@app.route("PUT", "/shops/{shop}/skus")
def map_skus(request: Request) -> SkusView:
    """For orders that come from now on."""
    name, said = shops_table().get(request.path["shop"]).name, request.read(MapSkus)
    for theirs, sku in said.skus.items():
        shops_table().map_sku(name, theirs, sku)
    return SkusView(name, dict(said.skus))


@app.route("GET", "/inbox")
def list_inbox(request: Request) -> InboxPage:
    query = request.read_query(InboxQuery)
    page = channel_inbox().page(query.limit, query.cursor)
    return InboxPage([inbox_view(each) for each in page.messages], page.cursor)


@app.route("GET", "/inbox/{message_id}")
def get_message(request: Request) -> InboxMessageView:
    kept = channel_inbox().get(request.path["message_id"])
    view = InboxMessageView(**msgspec.structs.asdict(inbox_view(kept)))
    if request.scopes.isdisjoint(WHOLE):
        return view
    if kept.fetch is not None:
        asked = {"external_id": kept.fetch.external_id, "what": kept.fetch.what}
        return msgspec.structs.replace(view, fetch=asked)
    if kept.call is None:
        return view
    body = kept.call.body.decode(errors="replace")
    return msgspec.structs.replace(view, body=body, headers=dict(kept.call.headers))


@app.route("POST", "/inbox/{message_id}/replay")
def replay(request: Request) -> ReplayView:
    """Done again it changes nothing; what fails again stays where it is."""
    identity, at = request.path["message_id"], datetime.now(UTC)
    kept = channel_inbox().get(identity)
    if kept.state != FAILED:
        raise Problem(409, "Not possible now", f"{identity} is {kept.state}")
    done = fetched(kept, at) if kept.fetch is not None else read_again(kept, at)
    return ReplayView(identity, done.outcome, done.order_id, done.why)


@app.route("POST", "/inbox/{message_id}/dismiss")
def dismiss(request: Request) -> InboxView:
    return inbox_view(channel_inbox().dismiss(request.path["message_id"], datetime.now(UTC)))


def read_again(kept: Kept, at: datetime) -> Done:
    if kept.call is None:
        raise Problem(409, "Not possible now", "it was too large to be kept: have it sent again")
    try:
        return intake().take(CHANNELS[kept.code], kept.call, at)
    except NotUnderstood as refused:
        raise problem_of(refused) from None


def fetched(kept: Kept, at: datetime) -> Done:
    """Asked for at once: whoever replays it wants to see how it ends."""
    if kept.fetch is None:
        raise NotFound("errand", kept.message_id)
    try:
        return Fetcher(intake(), SHOP_APIS).run(Errand(kept.fetch, at), at)
    except Contended:
        raise
    except (OmsError, InvalidRequest, NotAnAmount, Unreachable) as error:
        reason = reason_of(error)
        intake().failed_to_fetch(kept.fetch, kept.at, reason)
        raise Problem(409, "Not possible now", reason) from None


def shop_view(shop: Shop) -> ShopView:
    progress = poll_cursors().get(shop.name)
    return ShopView(
        shop=shop.name,
        channel=shop.channel,
        base_url=shop.base_url,
        told=[each.value for each in shop.told],
        polled=shop.polled,
        locations=dict(shop.locations),
        settings=dict(shop.settings),
        polled_since=progress.since,
        poll_error=progress.error,
    )


def inbox_view(kept: Kept) -> InboxView:
    return InboxView(
        message_id=kept.message_id,
        shop=kept.name,
        state=kept.state,
        reason=kept.reason,
        topic=kept.topic,
        at=kept.at,
        order_id=kept.order_id,
    )


def _name(request: Request) -> str:
    name = request.path["shop"]
    if not NAME.fullmatch(name) or name.partition(":")[0] not in CHANNELS:
        raise NotFound("channel of shop", name)
    return name
