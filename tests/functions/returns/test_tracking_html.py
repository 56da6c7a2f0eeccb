"""The tracking page as a person sees it: its languages, its escapes, the way through its form."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.returns import page_html, tracking_page
from functions.returns.page_texts import TEXTS, Words, chosen
from oms.adapters.secrets import secrets
from oms.contracts.render_tracking import TO_COLLECT, status_of, timelines_of, tracked_order
from oms.domain import commands as c
from oms.domain.returns import Resolution, ReturnStatus
from oms.domain.returns.policy import ReturnPolicy
from oms.domain.tracking import TrackingStatus
from oms.domain.written_days import MONTHS
from tests.builders import Story, scans
from tests.functions.doors import House, ask, house
from tests.functions.returns.parcels import allow, delivered

__all__ = ["house"]

HTML = {"Accept": "text/html"}


class Page(HTMLParser):
    """Tags that are open, in their order; every attribute; the words between them."""

    VOID = frozenset({"meta", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def underway() -> Story:
    story = Story().authorized().routed().shipped()
    return story.do(scans("EZ1", TrackingStatus.IN_TRANSIT, TrackingStatus.OUT_FOR_DELIVERY))


def page_of(story: Story, language: str = "en", *, can_return: bool = False) -> Page:
    view = tracked_order(story.order, story.facts, can_return=can_return)
    return Page(page_html.tracking_page(view, "token-1", Words(language)))


def test_every_language_has_the_same_words_with_the_same_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return set(re.findall(r"{\w+}", text))

    for language, texts in TEXTS.items():
        assert texts.keys() == TEXTS["en"].keys(), language
        assert len(MONTHS[language].split()) == 12
        for name, text in texts.items():
            assert blanks(text) == blanks(TEXTS["en"][name]), (language, name)


def test_there_is_a_word_for_all_that_can_be_said() -> None:
    said = TEXTS["en"]
    assert {f"scan.{each.value}" for each in TrackingStatus} <= said.keys()
    assert {f"return.{each.value}" for each in ReturnStatus} <= said.keys()
    assert {f"pickup.{each.value}" for each in TO_COLLECT} <= said.keys()
    assert {f"reason.{each.code}" for each in ReturnPolicy().reasons} <= said.keys()
    assert {f"want.{each}" for each in tracking_page.OFFERED} <= said.keys()
    assert Resolution.EXCHANGE not in tracking_page.OFFERED


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_a_page_is_whole_in_every_language(language: str) -> None:
    page = page_of(underway(), language, can_return=True)

    assert page.all("html") == [{"lang": language}]
    assert page.all("script") == page.all("img") == page.all("link") == []
    assert TEXTS[language]["order.out_for_delivery"] in page.words
    assert TEXTS[language]["scan.in_transit"] in page.words
    assert TEXTS[language]["start_return"] in page.words
    offered = {link["lang"] for link in page.all("a") if "hreflang" in link}
    assert offered == TEXTS.keys() - {language}


def test_the_newest_scan_comes_first_and_is_told_once() -> None:
    story = underway()
    view = tracked_order(story.order, story.facts, can_return=False)

    (parcel,) = view.parcels
    assert [each.status for each in parcel.timeline] == [
        "out_for_delivery",
        "in_transit",
        "label_created",
    ]
    times = [each.at for each in parcel.timeline]
    assert times == sorted(times, reverse=True)
    assert timelines_of([*story.facts, *story.facts]) == timelines_of(story.facts)


def test_a_parcel_in_trouble_is_not_called_on_its_way() -> None:
    story = Story().authorized().routed().shipped()
    story.do(scans("EZ1", TrackingStatus.IN_TRANSIT, TrackingStatus.EXCEPTION))

    assert status_of(story.order) == "attention"


def test_a_cancelled_order_says_so_and_shows_no_day() -> None:
    story = Story().authorized().routed().do(c.CancelOrder("changed my mind"))
    page = page_of(story)

    assert TEXTS["en"]["order.cancelled"] in page.words
    assert not any("Expected" in each for each in page.words)


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_put_into_an_element_is_text(inside: str, attribute: str) -> None:
    made = page_html.element("p", inside, title=attribute)

    assert re.fullmatch(r'<p title="[^"<>]*">[^<>]*</p>', made, re.DOTALL)


def test_a_hostile_sku_is_shown_and_not_run() -> None:
    story = underway()
    view = tracked_order(story.order, story.facts, can_return=False)
    view.parcels[0].items[0].sku = '"><script>alert(1)</script>'

    page = Page(page_html.tracking_page(view, "token-1", Words("en")))

    assert page.all("script") == []
    assert any("<script>" in each for each in page.words)


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "en"),
        ("de", "fr", "de"),
        ("xx", "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("", "ja, pt-BR;q=0.5, es;q=0.7", "es"),
        ("", "de;q=x,;;q=,es", "es"),
        ("", "en,de", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_browsers(
    asked: str, accepted: str, language: str
) -> None:
    assert chosen(asked, accepted) == language


def test_parcels_that_are_not_shown_are_counted() -> None:
    story = underway()
    view = tracked_order(story.order, story.facts, can_return=False)
    view.parcels *= page_html.MAX_SHOWN + 1

    page = Page(page_html.tracking_page(view, "token-1", Words("en")))

    titles = [each for each in page.words if each.startswith("Parcel ")]
    assert len(titles) == page_html.MAX_SHOWN
    assert titles[0] == f"Parcel 1 of {page_html.MAX_SHOWN + 1}"


def luminance(color: str) -> float:
    digits = color if len(color) == 6 else "".join(2 * each for each in color)
    parts = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    light = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_what_is_written_can_be_read_in_both_schemes(scheme: int) -> None:
    """By WCAG 2.2: 4.5 for text, 3 for what marks it."""
    root = re.findall(r":root{([^}]*)}", page_html.STYLE)[scheme]
    color = dict(re.findall(r"--(\w+):#(\w+)", root))

    for text in ("ink", "soft", "mark"):
        assert contrast(color[text], color["paper"]) >= 4.5
        assert contrast(color[text], color["ground"]) >= 4.5
    assert contrast(color["on"], color["mark"]) >= 4.5
    assert contrast(color["wrong"], color["paper"]) >= 3
    assert "#" not in re.sub(r":root{[^}]*}", "", page_html.STYLE)


# --- over HTTP ------------------------------------------------------------------------------------


def seen(token: str, path: str = "", **more: Any) -> dict[str, Any]:
    event = {
        "routeKey": f"GET /track/{{token}}{path}",
        "pathParameters": {"token": token},
        "headers": {name.lower(): value for name, value in more.pop("headers", HTML).items()},
        "rawQueryString": more.pop("query", ""),
    }
    return tracking_page.handler(event, None)


def sent(token: str, form: dict[str, str]) -> dict[str, Any]:
    event = {
        "routeKey": "POST /track/{token}/return",
        "pathParameters": {"token": token},
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": urlencode(form),
    }
    return tracking_page.handler(event, None)


@pytest.fixture
def token(house: House) -> str:
    allow()
    return secrets().tracking_token(delivered(house).order_id)


def order_of(house: House, token: str) -> Any:
    order_id = secrets().tracked_order(token)
    assert order_id
    return house.orders.get(order_id)


@pytest.mark.cloud
def test_people_get_a_page_and_programs_get_the_same_as_json(house: House, token: str) -> None:
    page = seen(token)
    status, data = ask(
        tracking_page, "GET /track/{token}", token=token, headers={"Accept": "application/json"}
    )

    assert (page["statusCode"], status) == (200, 200)
    assert page["headers"]["content-type"].startswith("text/html")
    words = Page(page["body"]).words
    assert any(data["number"] in each for each in words)
    assert data["parcels"][0]["tracking_number"] in " ".join(words)
    assert data["can_return"] is True
    order = order_of(house, token)
    assert order.customer_id not in page["body"] + str(data)


@pytest.mark.cloud
def test_the_page_lets_nothing_in_and_its_address_out_to_nobody(token: str) -> None:
    headers = seen(token)["headers"]

    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert f"sha256-{page_html.STYLE_HASH}" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert "no-store" in headers["cache-control"]
    assert "noindex" in headers["x-robots-tag"]


@pytest.mark.cloud
def test_a_strangers_token_opens_no_page(token: str) -> None:
    assert seen("x" + token)["statusCode"] == 404
    assert seen("x" + token, "/return")["statusCode"] == 404
    assert sent("x" + token, {})["statusCode"] == 404


@pytest.mark.cloud
def test_the_form_makes_one_return_however_often_it_is_sent(house: House, token: str) -> None:
    form = Page(seen(token, "/return")["body"])
    (key,) = [each["value"] for each in form.all("input") if each.get("name") == "key"]
    said = {
        "key": str(key),
        "units.line_1": "1",
        "reason.line_1": "too_small",
        "resolution": "refund",
    }

    answers = [sent(token, said), sent(token, said)]

    assert {each["statusCode"] for each in answers} == {303}
    assert answers[0]["headers"]["location"] == f"../{token}?lang=en&returned=1"
    (found,) = order_of(house, token).returns
    assert (found.requested_by, found.lines[0].quantity) == ("customer", 1)
    told = seen(token, query="returned=1")["body"]
    assert TEXTS["en"]["thanks"] in Page(told).words


@pytest.mark.cloud
@pytest.mark.parametrize(
    "changes",
    [
        {"units.line_1": "0"},
        {"units.line_1": "-1"},
        {"units.line_1": "1e3"},
        {"units.line_1": "99"},
        {"reason.line_1": "because"},
        {"resolution": "exchange"},
        {"resolution": "a pony"},
        {"key": ""},
        {"key": "x" * 400},
    ],
)
def test_a_form_that_cannot_be_is_shown_again_and_nothing_is_written(
    house: House, token: str, changes: dict[str, str]
) -> None:
    said = {
        "key": "a" * 32,
        "units.line_1": "1",
        "reason.line_1": "too_small",
        "resolution": "refund",
    }

    answer = sent(token, said | changes)

    assert answer["statusCode"] == 422
    page = Page(answer["body"])
    assert {TEXTS["en"]["nothing_chosen"], TEXTS["en"]["not_possible"]} & set(page.words)
    assert order_of(house, token).returns == ()


@pytest.mark.cloud
def test_bytes_that_are_no_form_are_no_return(house: House, token: str) -> None:
    event = {
        "routeKey": "POST /track/{token}/return",
        "pathParameters": {"token": token},
        "body": "/////w==",
        "isBase64Encoded": True,
    }

    assert tracking_page.handler(event, None)["statusCode"] == 422
    assert order_of(house, token).returns == ()
