"""What customers ask us by the form of the tracking page: checked, then opened as an inquiry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from uuid import uuid4

from functions.returns.inquiry_page import Form, Typed, Wrong, inquiry_page
from functions.returns.page_html import HEADERS
from functions.returns.page_texts import Words
from oms.adapters.http_api import Response
from oms.adapters.inquiries_table import TooManyOpen, inquiries_table
from oms.adapters.inquiry_desk import Ask, opening, service_policy
from oms.adapters.inquiry_texts import Written
from oms.adapters.orders_table import fingerprint_of
from oms.domain.errors import Conflict
from oms.domain.inquiries.model import MAX_LETTERS, Origin, inquiry_id_of
from oms.domain.order import Order

ACTOR = "customer"
FORM_KEY = re.compile(r"[0-9a-f]{32}")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def form(
    order: Order, token: str, words: Words, typed: Typed | None = None, *wrong: Wrong
) -> Response:
    items = [(line.line_id, line.sku) for line in order.lines if line.quantity > line.cancelled]
    shown = Form(
        token,
        uuid4().hex,
        service_policy().offered,
        items if len(items) > 1 else (),
        typed or Typed(),
        wrong,
    )
    return Response(422 if wrong else 200, inquiry_page(shown, words), HEADERS)


def taken(order: Order, token: str, words: Words, said: Mapping[str, str]) -> Response:
    typed, key = typed_in(said), said.get("key", "")
    if wrong := tuple(faults(order, typed, key, words)):
        return form(order, token, words, typed, *wrong)
    try:
        inquiry_id = opened(order, typed, key, words.language)
    except TooManyOpen:
        return form(order, token, words, typed, Wrong(words.say("ask_many")))
    except Conflict:  # the page was sent, gone back to, and sent with another text
        return form(order, token, words, typed, Wrong(words.say("ask_again")))
    there = f"../{token}?lang={words.language}&asked=1"
    ids = {"order_id": order.order_id, "inquiry_id": inquiry_id}
    return Response(303, None, {"location": there, **HEADERS}, ids)


def typed_in(said: Mapping[str, str]) -> Typed:
    """Browsers end lines by two characters; what nobody sees is left out."""
    text = said.get("text", "").replace("\r\n", "\n").replace("\r", "\n")
    text = UNSEEN.sub("", text).strip()
    return Typed(said.get("category", ""), said.get("line_id", ""), text)


def faults(order: Order, typed: Typed, key: str, words: Words) -> Iterator[Wrong]:
    if typed.category not in service_policy().offered:
        yield Wrong(words.say("ask_choose"), "category")
    if typed.line_id and all(line.line_id != typed.line_id for line in order.lines):
        yield Wrong(words.say("ask_choose"), "line_id")
    if not typed.text:
        yield Wrong(words.say("ask_empty"), "text")
    if (length := len(typed.text)) > MAX_LETTERS:
        yield Wrong(words.say("ask_long", length=length, count=MAX_LETTERS), "text")
    if not FORM_KEY.fullmatch(key):
        yield Wrong(words.say("ask_again"))


def opened(order: Order, typed: Typed, key: str, language: str) -> str:
    """The same form sent twice is one inquiry."""
    at = datetime.now(UTC)
    ask = Ask(
        inquiry_id_of("page", order.order_id, key),
        order.customer_id,
        Origin.PAGE,
        Written(typed.text),
        typed.category,
        order_id=order.order_id,
        line_id=typed.line_id,
        language=language,
        key=key,
        fingerprint=fingerprint_of([typed.category, typed.line_id, typed.text]),
    )
    table = inquiries_table(with_texts=True)
    found, _ = table.open(opening(ask, service_policy(), at), at=at, actor=ACTOR)
    return found.inquiry_id
