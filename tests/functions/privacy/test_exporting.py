"""Everything about a person in two files, and who has asked for it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.credit import api as credit
from functions.privacy import api
from functions.privacy.desk import desk
from functions.privacy.readable import page
from functions.privacy.tend_privacy import tend
from tests.functions.doors import House, ask, house
from tests.functions.privacy.person import EMAIL, Life, found_in, later
from tests.functions.privacy.test_erasing import life, say

__all__ = ["house", "life"]


def export(customer_id: str) -> tuple[int, Any]:
    return ask(api, "POST /customers/{customer_id}/export", customer_id=customer_id)


def written(house: House, ending: str) -> str:
    client, bucket = house.cloud.client("s3"), house.environment["FILES_BUCKET"]
    listed = client.list_objects_v2(Bucket=bucket, Prefix="exports/")["Contents"]
    (name,) = [each["Key"] for each in listed if each["Key"].endswith(ending)]
    return str(client.get_object(Bucket=bucket, Key=name)["Body"].read().decode())


@pytest.mark.cloud
def test_an_export_has_everything_that_is_known_of_a_person(life: Life) -> None:
    order_id, customer_id = life.known_everywhere()
    issue = {"amount": 500, "currency": "USD", "reason": "sorry"}
    headers = {"Idempotency-Key": "k"}
    ask(
        credit,
        "POST /customers/{customer_id}/store-credit",
        issue,
        customer_id=customer_id,
        headers=headers,
    )

    status, made = export(customer_id)

    assert status == 201
    found = json.loads(written(life.house, ".json"))
    (order,) = found["orders"]
    assert (order["order_id"], order["totals"]["total"]) == (order_id, 2500)
    assert order["contact"]["address"]["line1"] == "77 Bramblewick Lane"
    assert [line["sku"] for line in order["lines"]] == ["MUG"]
    assert order["documents"][0]["kind"] == "invoice"
    assert [event["type"] for event in order["events"]][:1] == ["OrderPlaced"]
    assert found["store_credit"][0]["account"]["balance"] == 500
    assert found["inquiries"][0]["texts"][0]["written"]["text"].startswith("Where is my parcel?")
    assert found["profiles"][0]["emails"][0]["value"] == EMAIL
    assert [(each["what"], each["why"]) for each in found["reads"]] == [("everything", "export")]
    assert "exports/" in made["json"]
    assert "X-Amz-Signature" in made["page"]


@pytest.mark.cloud
def test_the_files_are_deleted_on_the_day_that_the_policy_says(life: Life) -> None:
    say(export_days=3)
    _, customer_id = life.order()
    export(customer_id)

    tend(desk(), later(48))
    assert written(life.house, ".html")
    tend(desk(), later(24 * 4))

    assert found_in(life.house) == {}


@pytest.mark.cloud
def test_by_the_e_mail_address_a_person_is_found_and_it_is_kept_nowhere(life: Life) -> None:
    _, customer_id = life.order()

    status, found = ask(api, "GET /customers/{customer_id}/privacy", customer_id=EMAIL)

    assert (status, found["customer_id"]) == (200, customer_id)
    kept = {each["category"]: each for each in found["kept"]}
    assert (kept["contact"]["count"], kept["orders without a name"]["count"]) == (1, 1)
    assert "730 days" in kept["contact"]["until"]
    assert found_in(life.house) == {}


@pytest.mark.cloud
def test_who_looked_is_listed_page_by_page_newest_first(life: Life) -> None:
    _, customer_id = life.order()
    for _ in range(3):
        ask(api, "GET /customers/{customer_id}/privacy", customer_id=customer_id)
    route = "GET /customers/{customer_id}/reads"

    _, first = ask(api, route, query="limit=2", customer_id=customer_id)
    _, rest = ask(api, route, query=f"cursor={first['cursor']}", customer_id=customer_id)

    reads = [*first["items"], *rest["items"]]
    assert len(reads) == 3
    assert {(each["actor"], each["what"]) for each in reads} == {("client:shop", "what is kept")}
    assert [each["at"] for each in reads] == sorted((x["at"] for x in reads), reverse=True)
    assert ask(api, route, query="cursor=eyJQSyI6IngifQ", customer_id=customer_id)[0] == 400


@pytest.mark.cloud
def test_nobody_who_is_not_known_is_exported(life: Life) -> None:
    assert export("cus_nobody")[0] == 404
    assert found_in(life.house) == {}


class Texts(HTMLParser):
    def __init__(self, said: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(said)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "dl", "dt", "dd"}


@given(st.dictionaries(words, st.recursive(words, lambda x: st.lists(x, max_size=3)), max_size=4))
def test_the_page_says_every_word_and_runs_none_of_them(said: dict[str, Any]) -> None:
    shown = Texts(page(said))

    assert shown.tags <= TAGS | {"div", "details", "summary"}
    text = "".join(shown.texts)
    assert all(each in text for each in _leaves(list(said.values())))


def _leaves(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [x for each in value for x in _leaves(each)]
