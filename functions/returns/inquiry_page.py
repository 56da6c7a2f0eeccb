"""The page on which a customer asks us something about an order: one form, no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from functions.returns.page_html import MAX_SHOWN, Safe, element, empty, page
from functions.returns.page_texts import Words
from oms.domain.inquiries.model import MAX_LETTERS


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into the form, right or wrong; an empty `line_id` is the whole order."""

    category: str = ""
    line_id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with it, in the reader's words; without a field it is of the whole."""

    said: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """`items` are line ids and what they are called; `key`: sent twice it is one message."""

    token: str
    key: str
    categories: Sequence[str]
    items: Sequence[tuple[str, str]]
    typed: Typed = field(default_factory=Typed)
    wrong: Sequence[Wrong] = ()

    def fault(self, name: str) -> str:
        return next((each.said for each in self.wrong if each.field == name), "")


def inquiry_page(form: Form, words: Words) -> str:
    title = words.say("ask_title")
    back = element("a", words.say("back"), href=f"../{form.token}?lang={words.language}")
    fields = element(
        "form",
        empty("input", type="hidden", name="key", value=form.key),
        element("fieldset", *_fields(form, words)),
        element("p", element("button", words.say("ask_send"), type="submit")),
        method="post",
        action=f"inquiry?lang={words.language}",
    )
    inside = [element("h1", title), *_trouble(form, words), fields, element("p", back)]
    said = f"{words.say('ask_wrong')}: {title}" if form.wrong else title
    return page(said, words, inside)


def _trouble(form: Form, words: Words) -> Iterator[Safe]:
    """A summary above the form; each fault leads to its field."""
    if not form.wrong:
        return
    faults = (
        element("li", element("a", each.said, href=f"#{each.field}") if each.field else each.said)
        for each in form.wrong
    )
    heading = element("h2", words.say("ask_wrong"), id="wrong")
    listed = element("ul", *faults)
    yield element("section", heading, listed, class_="wrong", role="alert", aria_labelledby="wrong")


def _fields(form: Form, words: Words) -> Iterator[Safe]:
    yield element("legend", words.say("ask"))
    categories = [(each, words.say(f"about.{each}")) for each in form.categories]
    yield from _choice("category", words.say("ask_about"), categories, form.typed.category, form)
    if form.items:
        items = [("", words.say("ask_whole")), *form.items[:MAX_SHOWN]]
        yield from _choice("line_id", words.say("ask_item"), items, form.typed.line_id, form)
    yield from _text(form, words)


def _choice(
    name: str, label: str, options: Sequence[tuple[str, str]], chosen: str, form: Form
) -> Iterator[Safe]:
    yield element("label", label, for_=name)
    yield from _fault(form, name)
    shown = (
        element("option", said, value=value, **({"selected": ""} if value == chosen else {}))
        for value, said in options
    )
    yield element("select", *shown, id=name, name=name, **_marked(form, name))


def _text(form: Form, words: Words) -> Iterator[Safe]:
    """A first line break would be lost: the one before the text is."""
    yield element("label", words.say("ask_text"), for_="text")
    yield element("p", words.say("ask_hint", count=MAX_LETTERS), class_="soft", id="text-hint")
    yield from _fault(form, "text")
    sizes = {"rows": "8", "maxlength": str(MAX_LETTERS), "required": ""}
    described = _marked(form, "text", "text-hint")
    yield element("textarea", f"\n{form.typed.text}", id="text", name="text", **sizes, **described)


def _fault(form: Form, name: str) -> Iterator[Safe]:
    if said := form.fault(name):
        yield element("p", said, class_="fault", id=f"{name}-fault")


def _marked(form: Form, name: str, hint: str = "") -> dict[str, str]:
    """So that whoever hears the page hears what is said of the field, with it."""
    wrong = form.fault(name)
    about = [each for each in (hint, f"{name}-fault" if wrong else "") if each]
    described = {"aria_describedby": " ".join(about)} if about else {}
    return {**described, **({"aria_invalid": "true"} if wrong else {})}
