"""What customers see: every notice in every language, in mail clients and as plain text."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.notices import composing
from oms.domain.notices.brands import BLACK, WHITE, Brand, NoticePolicy, contrast
from oms.domain.notices.checking import SAMPLES, faults, html_faults, sample
from oms.domain.notices.composing import Composed, Frame, Sources, built_in, compose
from oms.domain.notices.kinds import ITEMS, KINDS
from oms.domain.notices.templates import Named, Section, Template, parse
from oms.domain.notices.wording import (
    TEXTS,
    language_of,
    written_amount,
    written_number,
)
from oms.domain.written_days import written_day

BRAND = Brand(
    title="Mugs & More",
    colour="#7a1f5c",
    logo="https://cdn.example/logo.png",
    address="1 Main Street, Austin",
    support="help@mugs.example",
)
PAGE = "https://mugs.example/choices"
EVERY = [(event, language) for event in KINDS for language in TEXTS]
CLIPPED = 100_000  # bytes: one mail client shows no more than 102 KB of a mail
NEEDED = 4.5
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def shown(event: str, language: str, name: str = "usual", brand: Brand = BRAND) -> Composed:
    values = sample(KINDS[event], name, language)
    return compose(built_in(event, language), values, Frame(brand, language, PAGE))


def names_in(template: Template) -> set[str]:
    found: set[str] = set()
    for node in template:
        if isinstance(node, Named | Section):
            found.add(node.name)
        if isinstance(node, Section):
            found |= names_in(node.inside)
    return found


class Text(HTMLParser):
    """What a reader sees of it, in words."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag in ("style", "title") or "display:none" in (said.get("style") or ""):
            self.hidden += 1
        if tag == "a":
            self.pieces.append(said.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "title", "div"):
            self.hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.pieces.append(data)


def words_of(html: str) -> set[str]:
    reader = Text()
    reader.feed(html)
    return set(re.findall(r"[^\s:]+", " ".join(reader.pieces)))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("event", "language"), EVERY)
def test_nothing_is_said_twice(event: str, language: str, name: str) -> None:
    paragraphs = shown(event, language, name).text.split("\n\n")

    assert len(paragraphs) == len(set(paragraphs))


@pytest.mark.parametrize(("event", "language"), EVERY)
def test_every_built_in_template_passes_the_checks_that_others_must_pass(
    event: str, language: str
) -> None:
    assert list(faults(KINDS[event], built_in(event, language))) == []


@pytest.mark.parametrize(("event", "language"), EVERY)
@pytest.mark.parametrize("name", SAMPLES)
def test_the_plain_text_says_what_the_html_says(event: str, language: str, name: str) -> None:
    said = shown(event, language, name)
    in_text = set(re.findall(r"[^\s:]+", f"{said.subject} {said.text}"))
    in_html = words_of(said.html)

    assert {x.strip(".,") for x in in_html} == {x.strip(".,") for x in in_text}


@pytest.mark.parametrize("language", TEXTS)
def test_every_language_has_every_text_and_they_name_the_same(language: str) -> None:
    texts, english = TEXTS[language], TEXTS["en"]

    assert list(texts) == list(english)
    for name, text in texts.items():
        assert text.strip(), name
        assert names_in(parse(text)) == names_in(parse(english[name])), name


def test_no_text_is_for_nobody() -> None:
    blocks = {block.text for kind in KINDS.values() for block in kind.blocks} - {ITEMS}
    subjects = {f"{kind.words}.subject" for kind in KINDS.values()}
    around = {"dear", "hello", "more", "questions", "stop", "unsubscribe"}
    choices = {name for name in TEXTS["en"] if name.startswith("choose.")}

    assert set(TEXTS["en"]) == blocks | subjects | around | choices


@pytest.mark.parametrize(("event", "language"), EVERY)
def test_no_language_is_left_untranslated(event: str, language: str) -> None:
    subjects = {shown(event, each).subject for each in TEXTS}

    assert len(subjects) == len(TEXTS)


@pytest.mark.parametrize("event", KINDS)
def test_html_needs_no_script_no_style_sheet_and_fetches_the_logo_alone(event: str) -> None:
    html = shown(event, "de", "long").html

    assert re.findall(r'(?:src|background)="([^"]*)"', html) == [BRAND.logo]
    assert not re.search(r"<(script|link|iframe|form|input|video)|url\(|@import", html)
    assert '<html lang="de">' in html
    assert len(html.encode()) < CLIPPED


@pytest.mark.parametrize("event", KINDS)
def test_html_is_as_wide_as_a_phone_and_at_most_600_pixels(event: str) -> None:
    html = shown(event, "en").html

    assert "max-width:600px" in html
    tables = re.findall(r"<table[^>]*>", re.sub(r"<!--.*?-->", "", html))
    assert all('role="presentation"' in table for table in tables)
    assert {"600"} >= set(re.findall(r'width="(\d+)"', html))
    assert [int(x) for x in re.findall(r"[;\"]width:(\d+)px", html) if int(x) > 100] == []


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        (composing.INK, composing.PAPER),
        (composing.INK, composing.GROUND),
        (composing.SOFT, composing.GROUND),
        (composing.DARK_INK, composing.DARK_PAPER),
        (composing.DARK_SOFT, composing.DARK_GROUND),
    ],
)
def test_text_can_be_read_in_the_light_and_in_the_dark(ink: str, paper: str) -> None:
    assert contrast(ink, paper) >= NEEDED


@given(colours)
def test_the_button_can_be_read_in_every_brands_colour(colour: str) -> None:
    ink = Brand(colour=colour).ink

    assert ink in (WHITE, BLACK)
    assert contrast(ink, colour) >= NEEDED


def test_contrast_is_that_of_the_guideline() -> None:
    assert round(contrast("#ffffff", "#000000"), 1) == 21.0
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


def test_a_list_of_mails_shows_what_it_is_about_and_not_the_greeting() -> None:
    html = shown("FulfillmentOrderShipped", "en").html
    (preheader,) = re.findall(r'opacity:0">(.*?)</div>', html)

    assert preheader.startswith("These items have left our warehouse: 2 × MUG-BLUE")


def test_a_brand_cannot_write_html() -> None:
    evil = Brand(title="<b>x</b>", address='"><img src=x>', support="<i>")

    html = shown("PaymentAuthorized", "en", brand=evil).html

    assert "<b>" not in html
    assert "<img" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


def test_a_mail_without_a_brand_is_a_mail_all_the_same() -> None:
    said = compose(
        built_in("RefundGranted", "en"),
        sample(KINDS["RefundGranted"], "bare"),
        Frame(Brand(), "en"),
    )

    assert said.text == "Hello,\n\n will be returned to you.\n"
    assert said.sms == "Your order 10023: your refund"


@pytest.mark.parametrize(
    ("part", "source", "wrong"),
    [
        ("subject", "{{order_nomber}}", "order_nomber is no variable of this notice"),
        ("subject", "", "is empty or over 200 characters"),
        ("text", "{{#items}}", "{{#items}} is not closed"),
        ("sms", "x" * 700, "is more than 3 messages"),
        ("html", "<script>x</script>", "<script> is not shown by every mail client"),
        ("html", '<p onclick="x">y</p>', "onclick of <p> is not shown"),
        ("html", '<a href="javascript:x">y</a>', "href of <a> begins with none of"),
        ("html", '<a href="{{customer_name}}">y</a>', "href of <a> begins with none of"),
        ("html", '<img src="http://x.example/a.png">', "src of <img> begins with none of"),
        ("html", '<p style="background:url(x)">y</p>', "style of <p> fetches something"),
        ("html", "<table><tr><td>y</td></tr>", "<table> is not closed"),
        ("html", "<p>y</b></p>", "</b> closes nothing that is open"),
        ("html", "<p title={{customer_name}}>y</p>", "a value stands where it could write HTML"),
        ("html", "<{{customer_name}}>", "a value stands where it could write HTML"),
        ("html", "<!-- {{page}} -->", "a comment is read by nobody"),
    ],
)
def test_a_template_that_would_not_do_is_told_why(part: str, source: str, wrong: str) -> None:
    good = {"subject": "s", "html": "<p>h</p>", "text": "t", "sms": ""}

    found = list(faults(KINDS["FulfillmentOrderShipped"], Sources(**{**good, part: source})))

    assert any(place == part and wrong in each for place, each in found), found


@given(st.text(max_size=60))
def test_no_markup_whatever_breaks_the_check(html: str) -> None:
    assert all(isinstance(each, str) for each in html_faults(html))


def test_days_numbers_and_amounts_are_written_as_their_readers_write_them() -> None:
    day = date(2026, 3, 5)

    assert [written_day(day, each) for each in ("en", "de", "es")] == [
        "5 March 2026",
        "5. März 2026",
        "5 de marzo de 2026",
    ]
    assert [written_amount(123456, "EUR", each) for each in ("en", "de", "fr")] == [
        "1,234.56 EUR",
        "1.234,56 EUR",
        "1\u202f234,56 EUR",
    ]
    assert written_number(1200, "pt") == "1.200"
    assert [language_of(each) for each in ("de-AT", "pt", "it", "")] == ["de", "pt", "en", "en"]


def test_a_channel_writes_under_its_brand_and_any_other_under_the_default() -> None:
    mugs, other = Brand("mugs", channels=("web",)), Brand("default", "All else")

    policy = NoticePolicy(brands=(mugs, other))

    assert [policy.brand_of(each) for each in ("web", "pos")] == [mugs, other]
    assert NoticePolicy().brand_of("web") == Brand()


def test_html_is_text_with_tags_and_nothing_escaped_twice() -> None:
    html = shown("PaymentAuthorized", "fr").html

    assert "&amp;amp;" not in html
    assert "Mugs & More" in unescape(html)


@pytest.mark.parametrize(
    "html", ["<a " * 20_000, "<a/" * 20_000, '<a b="' * 10_000, "<p", "&#" + "9" * 5_000]
)
def test_html_that_takes_long_to_read_is_refused_unread(html: str) -> None:
    assert len([*html_faults(html)]) == 1
