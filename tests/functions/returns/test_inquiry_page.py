"""The page on which customers ask: what they typed is kept, what is wrong is said, once is once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.returns import tracking_page
from functions.returns.asking import UNSEEN
from functions.returns.inquiry_page import Form, Typed, Wrong, inquiry_page
from functions.returns.inquiry_words import INQUIRY
from functions.returns.page_texts import TEXTS, Words
from oms.adapters.dynamodb import unpack
from oms.domain.inquiries.policy import ServicePolicy
from tests.functions.doors import House, ask, house
from tests.functions.returns.parcels import delivered
from tests.functions.returns.test_tracking_html import Page
from tests.functions.service.desk import KEY, asked, events_of, get, listed, token_of

__all__ = ["house"]
HOSTILE = "\n</textarea><script>alert(1)</script> & \"'"


def page(language: str = "en", *wrong: Wrong, **typed: str) -> Page:
    form = Form("t-1", KEY, ServicePolicy().offered, (("line_1", "MUG"), ("line_2", "CUP")))
    shown = Form(form.token, form.key, form.categories, form.items, Typed(**typed), wrong)
    return Page(inquiry_page(shown, Words(language)))


def test_every_offered_category_has_a_word_in_every_language() -> None:
    for language, said in INQUIRY.items():
        assert {f"about.{each}" for each in ServicePolicy().offered} <= said.keys(), language
        assert TEXTS[language].keys() >= said.keys()


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_every_field_has_its_label_and_the_form_needs_no_script(language: str) -> None:
    found = page(language)
    fields = {each["id"] for tag in ("select", "textarea") for each in found.all(tag)}

    assert fields == {"category", "line_id", "text"}
    assert {each["for"] for each in found.all("label")} == fields
    assert found.all("script") == []
    assert found.all("html") == [{"lang": language}]


def test_a_fault_is_above_the_form_and_at_its_field() -> None:
    found = page("en", Wrong("Please write.", "text"))

    assert {"href": "#text"} in found.all("a")
    (summary,) = [each for each in found.all("section") if each.get("role") == "alert"]
    assert summary["aria-labelledby"] == "wrong"
    (text,) = found.all("textarea")
    assert text["aria-invalid"] == "true"
    described = str(text["aria-describedby"]).split()
    ids = {each.get("id") for each in found.all("p")}
    assert set(described) == {"text-hint", "text-fault"} <= ids
    assert found.words.count("Please write.") == 2


def test_whatever_was_typed_is_text() -> None:
    found = page("en", text=HOSTILE, line_id="line_2", category="refund")

    assert found.all("script") == []
    assert any(HOSTILE in each for each in found.words)
    chosen = [each["value"] for each in found.all("option") if "selected" in each]
    assert chosen == ["refund", "line_2"]


def test_what_nobody_sees_is_left_out() -> None:
    assert UNSEEN.sub("", "a\x00b\tc\nd\x7f\ud800") == "ab\tc\nd"


@pytest.fixture
def token(house: House) -> str:
    return token_of(delivered(house).order_id)


def shown(answer: dict[str, Any]) -> Page:
    assert answer["statusCode"] == 422
    return Page(answer["body"])


@pytest.mark.cloud
def test_the_form_opens_one_inquiry_however_often_it_is_sent(house: House, token: str) -> None:
    answers = [asked(token, text="The mug is broken.\r\nBoth.") for _ in range(2)]

    assert [each["statusCode"] for each in answers] == [303, 303]
    assert answers[0]["headers"]["location"].endswith("&asked=1")
    (inquiry_id,) = listed()
    found = get(inquiry_id)
    assert (found["origin"], found["opened_by"]) == ("page", "customer")
    assert found["messages"][0]["text"] == "The mug is broken.\nBoth."
    (row,) = events_of(house, inquiry_id)
    assert "mug" not in unpack(json.loads(json.dumps(row["body"]))).decode()


@pytest.mark.cloud
def test_what_is_refused_is_said_with_what_was_typed(house: House, token: str) -> None:
    long = shown(asked(token, text="x" * 4_001))
    assert any("4001" in each for each in long.words)
    assert any("x" * 4_001 in each for each in long.words)
    for form in ({"text": " \r\n"}, {"category": "mail"}, {"line_id": "line_9"}, {"key": "x"}):
        assert shown(asked(token, **form)).all("textarea")
    assert listed() == []


@pytest.mark.cloud
def test_so_many_may_be_open_and_no_more(house: House, token: str) -> None:
    for number in range(5):
        assert asked(token, key=f"{number:032x}")["statusCode"] == 303
    refused = shown(asked(token, key="f" * 32))

    assert TEXTS["en"]["ask_many"] in refused.words
    assert len(listed()) == 5


@pytest.mark.cloud
def test_another_text_under_a_key_that_was_used_is_no_second_inquiry(token: str) -> None:
    asked(token)

    assert TEXTS["en"]["ask_again"] in shown(asked(token, text="Another")).words
    assert asked(token, key="a" * 32, text="Another")["statusCode"] == 303


@pytest.mark.cloud
def test_the_form_is_reached_from_the_tracking_page_and_thanks(token: str) -> None:
    def seen(path: str, query: str = "") -> Page:
        event = {
            "routeKey": f"GET /track/{{token}}{path}",
            "pathParameters": {"token": token},
            "headers": {"accept": "text/html"},
            "rawQueryString": query,
        }
        return Page(tracking_page.handler(event, None)["body"])

    assert {"href": f"{token}/inquiry?lang=en"} in seen("").all("a")
    assert TEXTS["de"]["ask_title"] in seen("/inquiry", "lang=de").words
    assert TEXTS["fr"]["ask_thanks"] in seen("", "lang=fr&asked=1").words


@pytest.mark.cloud
def test_a_token_that_is_not_ours_asks_nothing(house: House, token: str) -> None:
    assert asked(token[:-1] + ("a" if token[-1] != "a" else "b"))["statusCode"] == 404
    assert ask(tracking_page, "GET /track/{token}/inquiry", token="x-y")[0] == 404
