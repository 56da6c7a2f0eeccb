"""An order for its customer: whoever has the token of its tracking page sees where its parcels are,
and asks for returns, in a browser or as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from functions.returns import asking, page_html
from functions.returns.desk import ReturnDesk, Wish
from functions.returns.page_texts import Words, chosen
from oms.adapters.files import download_link
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.order_reader import order_reader
from oms.adapters.orders_table import once_key, orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.secrets import secrets
from oms.adapters.segments_table import segments_table
from oms.contracts.api.returns import AskForReturn, ReturnOptionsView, TrackedReturnView
from oms.contracts.render_returns import options_view, tracked_view
from oms.contracts.render_tracking import tracked_order
from oms.domain.errors import NotFound, OmsError
from oms.domain.order import Fact, Order
from oms.domain.returns import Resolution, ReturnLine
from oms.domain.returns.policy import ReturnPolicy

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
    "FILES_BUCKET",
)
CUSTOMER = "customer"
OFFERED = frozenset(Resolution) - {Resolution.EXCHANGE}  # at prices that staff agree to
FORM_KEY = re.compile(r"[0-9a-f]{32}")
UNITS = re.compile(r"[0-9]{1,6}", re.ASCII)

app = HttpApi("TrackingPage")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


def desk() -> ReturnDesk:
    """Without stock: to ask moves none."""
    return ReturnDesk(
        orders_table(),
        lambda: policies_table().current("returns", ReturnPolicy),
        lambda customer_id: segments_table().names(customer_id),
    )


@app.route("GET", "/track/{token}")
def see(request: Request) -> Response:
    order = _order(request)
    found = tracked_order(order, _facts(order), can_return=_can_return(order))
    ids = {"order_id": order.order_id}
    if _wants_json(request):
        return Response(200, found, {"cache-control": "private, no-store"}, ids)
    words = _words(request)
    told = words.say(thanks) if (thanks := thanked(request)) else ""
    page = page_html.tracking_page(found, request.path["token"], words, told)
    return Response(200, page, page_html.HEADERS, ids)


def thanked(request: Request) -> str:
    done = {"returned": "thanks", "asked": "ask_thanks"}
    return next((said for name, said in done.items() if name in request.query), "")


@app.route("GET", "/track/{token}/inquiry")
def write(request: Request) -> Response:
    return asking.form(_order(request), request.path["token"], _words(request))


@app.route("POST", "/track/{token}/inquiry")
def take(request: Request) -> Response:
    """As the page's form says it. What is wrong is said on the page, with what was typed."""
    order, said = _order(request), form_of(request)
    return asking.taken(order, request.path["token"], _words(request), said)


@app.route("GET", "/track/{token}/return")
def choose(request: Request) -> Response:
    return _form(request, _order(request))


@app.route("POST", "/track/{token}/return")
def send(request: Request) -> Response:
    """As the page's form says it. What cannot be is said on the page, and nothing is written."""
    order, said = _order(request), form_of(request)
    lines = chosen_lines(order, said)
    if not lines:
        return _form(request, order, "nothing_chosen")
    resolution, key = said.get("resolution", ""), said.get("key", "")
    if resolution not in OFFERED or not FORM_KEY.fullmatch(key):
        return _form(request, order, "not_possible")
    once = once_key(f"{request.route} {order.order_id}", key, said)
    wish = Wish(lines, Resolution(resolution))
    try:
        desk().request(order.order_id, wish, at=datetime.now(UTC), actor=CUSTOMER, once=once)
    except (Problem, OmsError):
        return _form(request, order, "not_possible")
    language = _words(request).language
    there = f"../{request.path['token']}?lang={language}&returned=1"
    return Response(303, None, {"location": there, **page_html.HEADERS})


def form_of(request: Request) -> dict[str, str]:
    try:
        said = parse_qs(request.body.decode(), max_num_fields=2 * page_html.MAX_SHOWN + 10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in said.items()}


def chosen_lines(order: Order, said: Mapping[str, str]) -> tuple[ReturnLine, ...]:
    """Those of which some are returned; what is no number is none."""
    asked = (
        (line.line_id, said.get(f"units.{line.line_id}", ""), said.get(f"reason.{line.line_id}"))
        for line in order.lines
    )
    return tuple(
        ReturnLine(line_id, int(units), reason or "")
        for line_id, units, reason in asked
        if UNITS.fullmatch(units) and int(units)
    )


def _form(request: Request, order: Order, wrong: str = "") -> Response:
    words = _words(request)
    options = options_view(desk().asked(order, datetime.now(UTC)), OFFERED)
    said = words.say(wrong) if wrong else ""
    page = page_html.return_page(options, request.path["token"], uuid4().hex, words, said)
    return Response(422 if wrong else 200, page, page_html.HEADERS)


def _facts(order: Order) -> list[Fact]:
    """All of the history: the timeline is in it."""
    facts: list[Fact] = []
    after: int | None = 0
    while after is not None:
        page = order_reader().history(order.order_id, after)
        facts += page.facts
        after = page.last_seq
    return facts


def _can_return(order: Order) -> bool:
    asked = desk().asked(order, datetime.now(UTC))
    return any(each.returnable for each in options_view(asked, OFFERED).lines)


def _words(request: Request) -> Words:
    asked = request.query.get("lang", [""])[0]
    return Words(chosen(asked, request.headers.get("accept-language", "")))


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


@app.route("GET", "/track/{token}/returns/options")
def get_options(request: Request) -> ReturnOptionsView:
    return options_view(desk().asked(_order(request), datetime.now(UTC)), OFFERED)


@app.route("POST", "/track/{token}/returns")
def ask(request: Request) -> Response:
    order_id = _order(request).order_id
    said = request.read(AskForReturn)
    lines = tuple(ReturnLine(x.line_id, x.quantity, x.reason) for x in said.lines)
    once = once_key(f"{request.route} {order_id}", request.idempotency_key, request.json())
    order, found, new = desk().request(
        order_id,
        Wish(lines, Resolution(said.resolution)),
        at=datetime.now(UTC),
        actor=CUSTOMER,
        once=once,
    )
    ids = {"order_id": order_id, "return_id": found.return_id}
    return Response(201 if new else 200, tracked_view(order, found), ids=ids)


@app.route("GET", "/track/{token}/returns/{return_id}")
def get_return(request: Request) -> TrackedReturnView:
    order = _order(request)
    try:
        found = order.return_(request.path["return_id"])
    except NotFound:
        raise nothing_here() from None
    return tracked_view(order, found, download_link)


def _order(request: Request) -> Order:
    """A token that is not ours, and an order that is not there, are told the same."""
    order_id = secrets().tracked_order(request.path["token"])
    try:
        if order_id is not None:
            return orders_table().get(order_id)
    except NotFound:
        pass
    raise nothing_here()


def nothing_here() -> Problem:
    return Problem(404, "Not found", "there is no such page")
