"""Whether a template can be used: what it names, what it writes, and whether mail clients show it.

It is tried with sample orders. No value can write HTML: with hostile ones the page has the same
tags and attributes as with usual ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date
from html import escape
from html.parser import HTMLParser

from oms.domain.notices.composing import Sources
from oms.domain.notices.kinds import Kind
from oms.domain.notices.templates import (
    BadTemplate,
    Template,
    Value,
    Values,
    parse,
    render,
    unknown,
)
from oms.domain.notices.text_messages import MAX_PARTS, parts_of
from oms.domain.notices.wording import written_amount
from oms.domain.written_days import written_day

HOSTILE = "\"'> <img src=x> onload=x javascript:x"
MAX_SUBJECT = 200
MAX_TEXT_MESSAGE = 600  # characters
SAMPLES = ("usual", "bare", "long")
VOID = frozenset({"br", "hr", "img"})
TAGS = VOID | {
    *("a", "b", "blockquote", "center", "div", "em", "h1", "h2", "h3", "h4", "i", "li", "ol", "p"),
    *("small", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
}
ATTRIBUTES = {
    *("align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "class", "colspan", "dir"),
    *("height", "href", "lang", "role", "rowspan", "src", "style", "title", "valign", "width"),
}
LINKS = {"href": ("https://", "mailto:", "tel:"), "src": ("https://",)}
STYLES = ("url(", "expression(", "@import", "javascript:")

# Each takes the reader of HTML the square of its length, or more digits than a number may have.
STRAY = re.compile(r"<[^<>]*(?:<|\Z)")
LONG_REFERENCE = re.compile(r"&#[0-9]{8,}")

Found = tuple[str, str]  # the part of the template, and what is wrong with it


def sample(kind: Kind, name: str = "usual", language: str = "en") -> dict[str, Value]:
    """The values of a sample order: a usual one, one of which nothing more is known than must be,
    or one with much of everything."""
    return {
        each.name: _sampled(each.name, _written(each.sample, language), name)
        for each in kind.variables
    }


def _written(value: Value | date | int, language: str) -> Value:
    if isinstance(value, date):
        return written_day(value, language)
    if isinstance(value, int) and not isinstance(value, bool):
        return written_amount(value, "EUR", language)
    return value


def _sampled(name: str, value: Value, how: str) -> Value:
    if how == "bare":
        return value if name in ("order_number", "brand_name", "brand_colour", "brand_ink") else ""
    if how == "long":
        return _much(name, value)
    return value


def _much(name: str, value: Value) -> Value:
    if name == "items":
        rows = range(1, 51)
        return [{"quantity": "1,000", "sku": f"A-VERY-LONG-NAME-OF-A-THING-{n:03}"} for n in rows]
    if name == "more_items":
        return "12"
    if name == "customer_name":
        return "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
    return value or True


def _hostile(value: Value) -> Value:
    if isinstance(value, str):
        return value + HOSTILE if value else ""
    if not isinstance(value, bool):
        return [{name: _hostile(each) for name, each in row.items()} for row in value]
    return value


def faults(kind: Kind, sources: Sources) -> Iterator[Found]:
    parsed: dict[str, Template] = {}
    wrong = list(_unreadable(kind, sources, parsed))
    yield from wrong
    for name in () if wrong else SAMPLES:
        yield from _tried(parsed, sample(kind, name), name)


def _unreadable(kind: Kind, sources: Sources, parsed: dict[str, Template]) -> Iterator[Found]:
    """Those that can be read are `parsed`."""
    for part in (each.name for each in fields(Sources)):
        try:
            parsed[part] = parse(getattr(sources, part))
        except BadTemplate as error:
            yield part, str(error)
        else:
            yield from ((part, each) for each in unknown(parsed[part], kind.known))


def _tried(parsed: Mapping[str, Template], values: Values, name: str) -> Iterator[Found]:
    try:
        subject, text, sms = (render(parsed[x], values) for x in ("subject", "text", "sms"))
        html = render(parsed["html"], values, escape)
        hostile = render(parsed["html"], {k: _hostile(v) for k, v in values.items()}, escape)
    except BadTemplate as error:
        yield "html", f"with the {name} sample order, {error}"
        return
    if not 0 < len(" ".join(subject.split())) <= MAX_SUBJECT:
        yield "subject", f"with the {name} sample order, is empty or over {MAX_SUBJECT} characters"
    if name == "usual" and not text.strip():
        yield "text", f"with the {name} sample order, says nothing"
    if len(sms) > MAX_TEXT_MESSAGE or (sms and parts_of(sms) > MAX_PARTS):
        yield "sms", f"with the {name} sample order, is more than {MAX_PARTS} messages"
    yield from (("html", each) for each in html_faults(html, hostile))


def html_faults(html: str, hostile: str = "") -> Iterator[str]:
    if STRAY.search(html):
        yield "a < begins no tag, or one that has no end: write &lt; for the character"
        return
    if LONG_REFERENCE.search(html):
        yield "a &# has more digits than any character"
        return
    page = _read(html)
    yield from dict.fromkeys(page.wrong)
    if page.opened:
        yield f"<{page.opened[-1]}> is not closed"
    if hostile and _read(hostile).shape != page.shape:
        yield "a value stands where it could write HTML: put it between tags or in double quotes"


def _read(html: str) -> _Page:
    page = _Page(convert_charrefs=True)
    page.feed(html)
    page.close()
    return page


class _Page(HTMLParser):
    def __init__(self, *, convert_charrefs: bool) -> None:
        super().__init__(convert_charrefs=convert_charrefs)
        self.wrong: list[str] = []
        self.shape: list[str] = []
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append(" ".join((tag, *(name for name, _ in attrs))))
        if tag not in TAGS:
            self.wrong.append(f"<{tag[:20]}> is not shown by every mail client")
        if tag not in VOID:
            self.opened.append(tag)
        for name, value in attrs:
            self.wrong += _wrong(tag, name, (value or "").strip().lower())

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self.shape.append(f"/{tag}")
        if self.opened and self.opened[-1] == tag:
            self.opened.pop()
        elif tag not in VOID:
            self.wrong.append(f"</{tag[:20]}> closes nothing that is open")

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        self.wrong.append("a comment is read by nobody, or by some mail clients as code")

    def handle_decl(self, decl: str) -> None:  # noqa: ARG002
        self.wrong.append("the page around it is the brand's: leave the doctype out")


def _wrong(tag: str, name: str, value: str) -> Iterator[str]:
    if name not in ATTRIBUTES:
        yield f"{name[:20]} of <{tag[:20]}> is not shown by every mail client"
    elif name in LINKS and value and not value.startswith(LINKS[name]):
        yield f"{name} of <{tag}> begins with none of {', '.join(LINKS[name])}"
    elif name == "style" and any(each in value for each in STYLES):
        yield f"style of <{tag}> fetches something"
