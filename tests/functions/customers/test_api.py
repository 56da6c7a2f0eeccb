"""The door for customers: found, seen, changed, merged and split, and every look is logged."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from functions.credit import api as credit_api
from functions.customers import api
from functions.policies import api as policies_api
from oms.adapters.access_log import access_log
from oms.adapters.customers_table import customers_table
from oms.adapters.identities_table import identities_table
from oms.adapters.secrets import secrets
from oms.adapters.standings import standings
from oms.contracts.routes import ROUTES
from tests.functions.customers.people import found, get, known, learned, ordered, post, put
from tests.functions.doors import House, ask, house
from tests.functions.world import now

pytestmark = pytest.mark.cloud

__all__ = ["house"]
PHONE = "(512) 555-0100"


def consents(view: Any) -> list[tuple[str, str, bool]]:
    return [(x["purpose"], x["channel"], x["granted"]) for x in view["consents"]]


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "CustomersApi"}

    assert api.app.routes == declared


@pytest.mark.parametrize(
    "query",
    [
        "email=Ada%40Example.com",
        "phone=%2B1%20512%20555%200100",
        "phone=512-555-0100",
        "phone=5125550100&country=US",
        "name=byr",
        "name=ADA%20BYRON",
        "name=b%C3%BFron",
    ],
)
def test_a_customer_is_found(house: House, query: str) -> None:
    ada = known(house, phone=PHONE)
    known(house, "bob@example.com", name="Bob Baker")

    assert found(query) == [ada]


def test_a_summary_tells_who_it_is_and_the_log_tells_who_looked(house: House) -> None:
    ada = known(house, phone=PHONE)
    bob = known(house, "bob@example.com", name="Byrd Byronson")

    _, page = ask(api, "GET /customers", query="name=byron")
    assert sorted(x["customer_id"] for x in page["items"]) == sorted([ada, bob])
    _, page = ask(api, "GET /customers", query="name=ada%20byron")
    assert page["items"] == [
        {
            "customer_id": ada,
            "name": "Ada Byron",
            "email": "ada@example.com",
            "phone": PHONE,
            "city": "Austin",
            "country": "US",
            "merged_into": "",
        }
    ]
    assert [x.what for x in access_log().page(ada).reads] == ["summary", "summary"]
    assert [x.actor for x in access_log().page(bob).reads] == ["client:shop"]


def test_who_ordered_a_moment_ago_is_found_by_the_e_mail_address(house: House) -> None:
    order = ordered(house)

    assert found("email=ada%40example.com") == [order.customer_id]
    assert get(order.customer_id)[1]["name"] == "Ada Byron"


def test_a_name_that_many_have_is_listed_page_by_page(house: House) -> None:
    everybody = [ordered(house, f"s{n}@example.com", name=f"Ann Smith{n}") for n in range(5)]
    learned(house, *everybody)
    seen, cursor = list[str](), ""
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        status, page = ask(api, "GET /customers", query=f"name=smith&limit=2{more}")
        assert (status, len(page["items"]) <= 2) == (200, True)
        seen += [x["customer_id"] for x in page["items"]]
        if (cursor := page["cursor"]) is None:
            break

    assert sorted(seen) == sorted(x.customer_id for x in everybody)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "email"),
        ("email=ada", "email"),
        ("phone=none1", "phone"),
        ("phone=1", "phone"),
        ("name=%21%21", "name"),
        ("name=ada&email=a%40b.example", "name"),
        ("name=ada&limit=51", "limit"),
        ("name=ada&country=XX", "country"),
        ("name=" + "a" * 201, "name"),
        ("name=ada&age=7", "age"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_by_its_field(
    house: House, query: str, field: str
) -> None:
    status, problem = ask(api, "GET /customers", query=query)

    assert (status, problem["errors"][0]["field"]) == (422, field)


def test_whom_nobody_knows_is_not_found(house: House) -> None:
    ada = known(house)

    assert get("cus_nobody")[0] == put("cus_nobody", 0)[0] == 404
    assert get("nobody@example.com")[0] == get("cus_nobody", "/orders")[0] == 404
    assert post("cus_nobody", "tags", add=["x"])[0] == post("cus_nobody", "split")[0] == 404
    assert post(ada, "merge", customer_id="cus_nobody")[0] == 404
    assert get("ord_1")[0] == 422
    assert found("email=nobody%40example.com") == []


def test_no_log_shows_an_e_mail_address(house: House, caplog: pytest.LogCaptureFixture) -> None:
    known(house)
    with caplog.at_level(logging.INFO):
        assert get("ada@example.com")[0] == 200
        found("email=ada%40example.com")

    assert "ada@" not in " ".join(repr(vars(x)) for x in caplog.records)


def test_what_is_said_replaces_what_it_names_and_leaves_the_rest(house: House) -> None:
    ada = known(house, phone=PHONE)
    before = get(ada)[1]

    status, after = put(
        ada,
        before["version"],
        names=["Ada King"],
        phones=[{"number": PHONE, "country": "US", "verified": True}],
        channels=[{"channel": "web"}, {"channel": "amazon", "external_id": "A1"}],
        tags=["vip"],
        preferences={"locale": "en-GB", "time_zone": "Europe/London", "channel": "sms"},
    )

    assert status == 200
    assert [(x["value"], x["source"]) for x in after["names"]] == [("Ada King", "client:shop")]
    assert (after["phones"][0]["e164"], after["phones"][0]["verified"]) == ("+15125550100", True)
    assert after["addresses"] == before["addresses"]
    assert (after["tags"], after["preferences"]["time_zone"]) == (["vip"], "Europe/London")
    assert {x["external_id"] for x in after["channels"]} == {"", "A1"}
    assert standings().of(ada).time_zone == "Europe/London"
    assert found("name=king") == [ada]
    assert found("name=byron") == []


def test_who_has_not_seen_the_newest_version_is_refused_but_not_for_a_lost_answer(
    house: House,
) -> None:
    ada = known(house)
    version = get(ada)[1]["version"]
    first, again = put(ada, version, tags=["vip"]), put(ada, version, tags=["vip"])

    assert first[0] == again[0] == 200
    assert again[1]["version"] == first[1]["version"] == version + 1
    assert put(ada, version, tags=["late"])[0] == 409
    assert get(ada)[1]["tags"] == ["vip"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"names": [""]}, "names[0]"),
        ({"names": ["a\x00"]}, "names[0]"),
        ({"names": ["Ada", "ada"]}, "names[1]"),
        ({"names": ["x"] * 6}, "names"),
        ({"emails": ["x"]}, "emails[0]"),
        ({"phones": [{"number": "hello"}]}, "phones[0].number"),
        ({"addresses": [{"country": "XX"}]}, "addresses[0].country"),
        ({"preferences": {"time_zone": "Mars/Phobos"}}, "preferences.time_zone"),
        ({"preferences": {"time_zone": "../../etc/passwd"}}, "preferences.time_zone"),
        ({"preferences": {"quiet_from": "25:00"}}, "preferences.quiet_from"),
        ({"preferences": {"quiet_from": "22:00"}}, "preferences.quiet_until"),
        ({"preferences": {"locale": "english"}}, "preferences.locale"),
        ({"tags": ["VIP!"]}, "tags[0]"),
        ({"vip": True}, "vip"),
        ({"version": -1}, "version"),
    ],
)
def test_a_fault_is_told_by_its_field_and_nothing_is_written(
    house: House, said: dict[str, Any], field: str
) -> None:
    ada = known(house)
    before = customers_table().get(ada)

    status, problem = put(ada, **{"version": before.version, **said})

    assert (status, problem["errors"][0]["field"]) == (422, field)
    assert customers_table().get(ada) == before


def test_tags_are_put_on_and_taken_off(house: House) -> None:
    ada = known(house)

    assert post(ada, "tags", add=["vip", "b2b"])[1]["tags"] == ["b2b", "vip"]
    assert post(ada, "tags", add=["vip"], remove=["b2b"])[1]["tags"] == ["vip"]
    assert post(ada, "tags")[0] == 422


def test_consent_is_kept_with_when_how_and_by_whom_and_so_is_what_was_before(house: House) -> None:
    ada = known(house)
    post(ada, "consents", channel="email", granted=True, how="checkbox at the till")
    post(ada, "consents", channel="email", granted=True, how="checkbox at the till")
    status, view = post(ada, "consents", channel="email", granted=False, how="link in a mail")

    assert (status, consents(view)) == (200, [("marketing", "email", False)])
    assert view["consents"][0]["by"] == "client:shop"
    _, history = get(ada, "/changes")
    assert [(x["what"], x["details"]["granted"]) for x in history["items"]] == [
        ("consent", False),
        ("consent", True),
    ]
    assert history["items"][1]["details"]["how"] == "checkbox at the till"


def test_an_older_consent_does_not_undo_a_newer_word_and_none_is_from_the_future(
    house: House,
) -> None:
    ada = known(house)
    post(ada, "consents", channel="sms", granted=False, how="call")
    old = (now() - timedelta(days=9)).isoformat()
    _, view = post(ada, "consents", channel="sms", granted=True, how="form", at=old)
    late = (now() + timedelta(days=1)).isoformat()

    assert consents(view) == [("marketing", "sms", False)]
    assert post(ada, "consents", channel="sms", granted=True, how="x", at=late)[0] == 422


def test_merged_customers_are_one_and_split_ones_what_they_were(house: House) -> None:
    ada = known(house)
    king = known(house, "king@example.com", name="Ada King", phone=PHONE)
    before = get(king)[1]

    status, view = post(ada, "merge", customer_id="king@example.com", reason="married")

    assert status == 200
    assert (view["customer_id"], [x["customer_id"] for x in view["identities"]]) == (
        ada,
        [ada, king],
    )
    assert {x["value"] for x in view["emails"]} == {"ada@example.com", "king@example.com"}
    assert get(king)[1] == view
    assert ask(api, "GET /customers", query="name=king")[1]["items"][0]["merged_into"] == ada
    assert post(ada, "merge", customer_id=king)[1] == view
    assert post(ada, "merge", customer_id=ada)[0] == 422

    assert post(ada, "split")[0] == 409
    status, split = post(king, "split", reason="two people")
    assert (status, split) == (200, before)
    assert get(ada)[1]["emails"][0]["value"] == "ada@example.com"
    _, history = get(king, "/changes")
    assert [(x["what"], x["by"], x["details"]["reason"]) for x in history["items"]] == [
        ("split", "client:shop", "two people"),
        ("merged", "client:shop", "married"),
    ]


def test_what_is_said_of_a_merged_customer_stays_with_the_root(house: House) -> None:
    ada, king = known(house), known(house, "king@example.com", name="Ada King")
    post(king, "tags", add=["vip", "new"])
    before = customers_table().get(king)
    _, view = post(ada, "merge", customer_id=king)

    _, after = put(king, view["version"], names=["Ada King", "Countess"], tags=["new"])

    assert after["customer_id"] == ada
    assert [x["value"] for x in after["names"]] == ["Countess", "Ada King"]
    assert after["tags"] == ["new"]
    post(king, "split")
    assert customers_table().get(king).profile.names == before.profile.names
    assert [x["value"] for x in get(ada)[1]["names"]] == ["Countess"]


def test_who_withdraws_consent_as_one_person_has_withdrawn_it_as_each(house: House) -> None:
    ada, king = known(house), known(house, "king@example.com", name="Ada King")
    post(king, "consents", channel="email", granted=True, how="form")
    _, view = post(ada, "merge", customer_id=king)
    assert consents(view) == [("marketing", "email", True)]

    post(ada, "consents", channel="email", granted=False, how="call")
    post(king, "split")

    assert consents(get(king)[1]) == consents(get(ada)[1]) == [("marketing", "email", False)]


def test_orders_of_all_identities_are_listed_newest_first(house: House) -> None:
    at = now() - timedelta(days=1)
    placed = []
    for number in range(7):  # two at each moment, and of two identities
        email = ("ada@example.com", "king@example.com")[number % 2]
        moment = at + timedelta(minutes=number // 2)
        placed.append(ordered(house, email, at=moment))
    ada, king = placed[0].customer_id, placed[1].customer_id
    learned(house, *placed)
    post(ada, "merge", customer_id=king)
    seen, cursor = list[Any](), ""
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        status, page = get(king, "/orders", f"limit=2{more}")
        assert (status, len(page["items"]) <= 2) == (200, True)
        seen += page["items"]
        if (cursor := page["cursor"]) is None:
            break

    assert sorted(x["order_id"] for x in seen) == sorted(x.order_id for x in placed)
    times = [x["placed_at"] for x in seen]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "eyJhIjoiYiJ9", "a" * 2001])
def test_a_cursor_that_no_listing_gave_is_refused(house: House, cursor: str) -> None:
    ada = known(house)

    assert get(ada, "/orders", f"cursor={cursor}")[0] in (400, 422)
    assert get(ada, "/changes", f"cursor={cursor}")[0] in (400, 422)
    assert ask(api, "GET /customers", query=f"name=ada&cursor={cursor}")[0] in (400, 422)


def verified(house: House, email: str) -> str:
    customer_id = known(house, email, phone=PHONE)
    version = get(customer_id)[1]["version"]
    put(customer_id, version, phones=[{"number": PHONE, "country": "US", "verified": True}])
    return customer_id


def test_one_verified_number_and_last_name_are_suggested_and_nothing_is_merged(
    house: House,
) -> None:
    ada = verified(house, "ada@example.com")
    other = known(house, "other@example.com", name="A. Byron", phone=PHONE)
    known(house, "third@example.com", name="Bob Baker", phone=PHONE)

    assert get(ada)[1]["suggested"] == [other]
    assert get(other)[1]["suggested"] == [ada]
    assert identities_table().person(ada).links == ()


def test_where_the_policy_says_so_who_has_proved_the_same_number_is_merged_but_not_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"version": 0, "document": {"merge_same_phone": True}}
    assert ask(policies_api, "PUT /policies/{policy}", said, policy="customers")[0] == 200
    ada, other = verified(house, "ada@example.com"), verified(house, "other@example.com")

    person = identities_table().person(other)
    assert (person.root, person.identities) == (ada, (ada, other))
    assert person.links[0].by == "system:same-phone"
    post(other, "split")
    learned(house, ordered(house, "other@example.com", phone=PHONE))
    assert identities_table().person(other).links == ()


def test_merging_moves_no_money_and_shows_all_of_it(house: House) -> None:
    ada, king = known(house), known(house, "king@example.com")
    route = "/customers/{customer_id}/store-credit"
    for number, customer_id in enumerate((ada, king)):
        said = {"amount": 1000 + number, "currency": "USD", "reason": "late"}
        headers = {"Idempotency-Key": f"k-{number}"}
        ask(credit_api, f"POST {route}", said, headers=headers, customer_id=customer_id)
    post(ada, "merge", customer_id=king)

    _, seen = ask(credit_api, f"GET {route}", query="currency=USD", customer_id=king)

    assert (seen["customer_id"], seen["available"]) == (king, 1001)
    assert [(x["customer_id"], x["available"]) for x in seen["merged"]] == [(ada, 1000)]
    post(king, "split")
    _, seen = ask(credit_api, f"GET {route}", query="currency=USD", customer_id=king)
    assert (seen["available"], seen["merged"]) == (1001, [])


def test_every_look_at_a_person_is_in_the_log(house: House) -> None:
    ada, king = known(house), known(house, "king@example.com")
    post(ada, "merge", customer_id=king)
    before = len(access_log().page(king).reads)
    get(ada)
    get(king, "/changes")

    looks = [(x.actor, x.what) for x in access_log().page(king).reads]
    assert looks[: len(looks) - before] == [("client:shop", "changes"), ("client:shop", "profile")]


def test_an_e_mail_address_in_the_path_is_its_customer(house: House) -> None:
    ada = known(house)

    assert (
        get("Ada@example.com")[1]["customer_id"] == ada == secrets().customer_id("ada@example.com")
    )
    assert get(quote("ada@example.com"))[1]["customer_id"] == ada


def test_who_agrees_to_texts_about_orders_is_sent_them_until_they_do_not_any_more(
    house: House,
) -> None:
    ada = known(house)
    for granted in (True, False):
        post(ada, "consents", purpose="notices", channel="sms", granted=granted, how="call")
        assert standings().of(ada).texts is granted
    assert standings().of(ada).mails
    post(ada, "consents", purpose="notices", channel="email", granted=False, how="letter")
    assert not standings().of(ada).mails
