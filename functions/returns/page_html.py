"""The tracking page for people: HTML that needs no script, no picture and no other request.

Whatever is put into a page goes through `element`, which escapes it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from html import escape

from functions.returns.page_texts import TEXTS, Words
from oms.contracts.api.returns import ReturnOptionsView, ReturnOptionView
from oms.contracts.api.tracking import (
    TrackedItemView,
    TrackedOrderView,
    TrackedParcelView,
    TrackedPickupView,
    TrackedScanView,
    TrackedWaitingView,
)
from oms.domain.currencies import amount_text

MAX_SHOWN = 200  # lines of a form, parcels of a page: a page is for people

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f23;--soft:#57606a;--line:#d8dee4;--paper:#fff;
--ground:#f6f7f9;--mark:#0b5cad;--on:#fff;--wrong:#b42318}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--line:#30363d;--paper:#161b22;
--ground:#0d1117;--mark:#6cb6ff;--on:#0d1117;--wrong:#ff7b72}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;
overflow-wrap:anywhere}
main,footer{max-width:44rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0}
h2{font-size:1.1rem;margin:0 0 .5rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:.75rem;padding:1rem;
margin:1rem 0}
p{margin:.25rem 0}.soft{color:var(--soft)}.big{font-size:1.15rem;font-weight:600}
ul,ol{margin:.5rem 0;padding-left:1.25rem}
ol.way{list-style:none;padding-left:0;margin:.75rem 0 0}
ol.way li{position:relative;padding:0 0 .75rem 1.5rem;border-left:2px solid var(--line);
margin-left:.4rem}
ol.way li:last-child{border-color:transparent;padding-bottom:0}
ol.way li::before{content:"";position:absolute;left:-.45rem;top:.35rem;width:.75rem;height:.75rem;
border-radius:50%;background:var(--paper);border:2px solid var(--soft)}
ol.way li:first-child::before{background:var(--mark);border-color:var(--mark)}
ol.way li:first-child strong{color:var(--mark)}
time{display:block;color:var(--soft);font-size:.9rem}
a{color:var(--mark)}
a.button,button{display:inline-block;background:var(--mark);color:var(--on);border:0;
border-radius:.5rem;padding:.75rem 1.25rem;font:inherit;font-weight:600;text-decoration:none;
cursor:pointer;min-height:2.75rem}
a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,
textarea:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
fieldset{border:1px solid var(--line);border-radius:.75rem;margin:1rem 0;padding:1rem;
background:var(--paper);min-width:0}
legend{font-weight:600;padding:0 .25rem}
label{display:block;margin:.5rem 0 .25rem}
input,select,textarea{font:inherit;width:100%;padding:.6rem;border:1px solid var(--soft);
border-radius:.5rem;background:var(--paper);color:var(--ink);min-height:2.75rem}
textarea{min-height:10rem;resize:vertical}
.told{border-left:4px solid var(--mark)}.wrong{border-left:4px solid var(--wrong)}
.fault{color:var(--wrong);font-weight:600}[aria-invalid]{border:2px solid var(--wrong)}
nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1rem}
nav a{display:inline-block;padding:.5rem 0}
""".strip()

STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",  # the address is the key
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
    "vary": "accept, accept-language",
}

Node = str


class Safe(str):
    """Markup that was escaped where it was made."""

    __slots__ = ()


def element(tag: str, /, *inside: str, **attributes: str) -> Safe:
    """An attribute's underscore at its end is for Python, any other is a hyphen."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return Safe(f"<{tag}{said}>{_markup(inside)}</{tag}>")


def empty(tag: str, /, **attributes: str) -> Safe:
    return Safe(element(tag, **attributes).removesuffix(f"</{tag}>"))


def _markup(inside: Iterable[str]) -> str:
    return "".join(each if isinstance(each, Safe) else escape(each) for each in inside)


def tracking_page(order: TrackedOrderView, token: str, words: Words, told: str = "") -> str:
    title = words.say("title", number=order.number)
    head = [
        element("h1", title),
        element("p", words.say("placed", day=words.day(order.placed_at.date())), class_="soft"),
        element("p", words.say(f"order.{order.status}"), class_="big"),
    ]
    if order.expected_on and order.status != "delivered":
        head.append(element("p", words.say("expected", day=_day(order.expected_on, words))))
    note = [element("section", told, class_="told", role="status")] if told else []
    return page(title, words, [*note, element("header", *head), *_sections(order, token, words)])


def _sections(order: TrackedOrderView, token: str, words: Words) -> Iterator[Safe]:
    for place, parcel in enumerate(order.parcels[:MAX_SHOWN], 1):
        yield _parcel(parcel, place, len(order.parcels), words)
    yield from (_pickup(each, words) for each in order.pickups)
    yield from (_waiting(each, words) for each in order.waiting[:MAX_SHOWN])
    if order.cancelled:
        yield _section(words.say("cancelled_items"), _items(order.cancelled))
    if order.returns:
        yield _section(words.say("returns"), element("ul", *_returns(order, words)))
    asking = element("a", words.say("ask"), href=f"{token}/inquiry?lang={words.language}")
    yield element("p", asking)
    if order.can_return:
        address = f"{token}/return?lang={words.language}"
        link = element("a", words.say("start_return"), href=address, class_="button")
        yield element("p", link)


def _parcel(parcel: TrackedParcelView, place: int, count: int, words: Words) -> Safe:
    one = words.say("one_parcel")
    title = words.say("parcel", place=place, count=count) if count > 1 else one
    said = words.say("with", carrier=carrier_name(parcel.carrier), number=parcel.tracking_number)
    inside = [
        element("p", words.say(f"scan.{parcel.status}"), class_="big"),
        element("p", said, class_="soft"),
    ]
    if parcel.expected_on:
        inside.append(element("p", words.say("expected", day=_day(parcel.expected_on, words))))
    if parcel.page:
        link = element("a", words.say("at_carrier"), href=parcel.page, rel="noopener noreferrer")
        inside.append(element("p", link))
    inside += [element("p", words.say("contents"), class_="soft"), _items(parcel.items)]
    if parcel.timeline:
        inside += [
            element("p", words.say("history"), class_="soft"),
            element("ol", *(_scan(each, words) for each in parcel.timeline), class_="way"),
        ]
    return _section(title, *inside)


def carrier_name(code: str) -> str:
    return NAMES.get(code, code.replace("_", " "))


NAMES = {
    "ups": "UPS",
    "fedex": "FedEx",
    "dhl": "DHL",
    "usps": "USPS",
    "royal_mail": "Royal Mail",
    "canada_post": "Canada Post",
    "australia_post": "Australia Post",
    "easypost": "EasyPost",
}


def _scan(scan: TrackedScanView, words: Words) -> Safe:
    when = element("time", words.moment(scan.at), datetime=scan.at.isoformat())
    return element("li", element("strong", words.say(f"scan.{scan.status}")), when)


def _pickup(pickup: TrackedPickupView, words: Words) -> Safe:
    inside = [element("p", words.say(f"pickup.{pickup.status}"), class_="big")]
    if pickup.until:
        inside.append(element("p", words.say("until", day=words.day(pickup.until.date()))))
    title = words.say("pickup", location=pickup.location_id)
    return _section(title, *inside, _items(pickup.items))


def _waiting(waiting: TrackedWaitingView, words: Words) -> Safe:
    inside = [element("p", words.say(f"waiting.{waiting.status}"), class_="big")]
    if waiting.expected_on:
        inside.append(element("p", words.say("comes_on", day=_day(waiting.expected_on, words))))
    return _section(words.say("waiting"), *inside, _items(waiting.items))


def _returns(order: TrackedOrderView, words: Words) -> Iterator[Safe]:
    for each in order.returns:
        title = words.say("return_from", day=words.day(each.requested_at.date()))
        yield element("li", f"{title}: {words.say(f'return.{each.status}')}")


def return_page(
    options: ReturnOptionsView, token: str, key: str, words: Words, wrong: str = ""
) -> str:
    """`key`: the same form sent twice is one return."""
    offered = [each for each in options.lines if each.returnable][:MAX_SHOWN]
    back = element("p", element("a", words.say("back"), href=f"../{token}?lang={words.language}"))
    title = words.say("choose")
    if not offered:
        said = element("section", words.say("nothing_to_return"))
        return page(title, words, [element("h1", title), said, back])
    trouble = [element("section", wrong, class_="wrong", role="alert")] if wrong else []
    form = element(
        "form",
        empty("input", type="hidden", name="key", value=key),
        *(_choice(each, options.currency, words) for each in offered),
        _wish(options.resolutions, words),
        element("p", element("button", words.say("send"), type="submit")),
        method="post",
        action=f"return?lang={words.language}",
    )
    return page(title, words, [element("h1", title), *trouble, form, back])


def _choice(option: ReturnOptionView, currency: str, words: Words) -> Safe:
    units, why = f"units.{option.line_id}", f"reason.{option.line_id}"
    worth = amount_text(option.estimated_refund, currency)
    inside = [
        element("legend", option.sku),
        element("p", words.say("worth", amount=worth), class_="soft"),
    ]
    if option.until:
        said = words.say("until_when", day=words.day(option.until.date()))
        inside.append(element("p", said, class_="soft"))
    number = {"type": "number", "inputmode": "numeric", "min": "0", "value": "0"}
    inside += [
        element("label", words.say("how_many", count=option.returnable), for_=units),
        empty("input", id=units, name=units, max=str(option.returnable), **number),
        element("label", words.say("why"), for_=why),
        element("select", *_reasons(option.reasons, words), id=why, name=why),
    ]
    return element("fieldset", *inside)


def _reasons(reasons: Iterable[str], words: Words) -> Iterator[Safe]:
    return (element("option", words.say(f"reason.{each}"), value=each) for each in reasons)


def _wish(resolutions: Iterable[str], words: Words) -> Safe:
    options = (element("option", words.say(f"want.{each}"), value=each) for each in resolutions)
    label = element("label", words.say("instead"), for_="resolution")
    return element("p", label, element("select", *options, id="resolution", name="resolution"))


def _items(items: Iterable[TrackedItemView]) -> Safe:
    shown = (element("li", f"{each.quantity} × {each.sku}") for each in items)
    return element("ul", *shown)


def _section(title: str, *inside: str) -> Safe:
    return element("section", element("h2", title), *inside)


def _day(day: str, words: Words) -> str:
    return words.day(date.fromisoformat(day))


def page(title: str, words: Words, inside: Iterable[str]) -> str:
    head = element(
        "head",
        empty("meta", charset="utf-8"),
        empty("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Safe(STYLE)),
    )
    body = element("body", element("main", *inside), element("footer", _languages(words)))
    return "<!doctype html>" + element("html", head, body, lang=words.language)


def _languages(words: Words) -> Safe:
    links = (
        element("a", text["language"], href=f"?lang={tag}", lang=tag, hreflang=tag)
        for tag, text in TEXTS.items()
        if tag != words.language
    )
    listed = element("ul", *(element("li", link) for link in links))
    return element("nav", listed, aria_label=words.say("languages"))
