"""Templates, notices and choices, as staff and customers ask for them over HTTP."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from functions.notifications import api, notify_customer, take_mail_events, unsubscribe_page
from functions.notifications.tokens import address_of, token_of
from oms.adapters import dynamodb as db
from oms.adapters.policies_table import policies_table
from oms.adapters.secrets import secrets
from oms.adapters.standings import standings
from oms.adapters.templates_table import templates_table
from oms.adapters.vault import vault
from oms.contracts.events import envelope
from oms.domain.contact import Contact
from oms.domain.notices.brands import Brand, NoticePolicy
from oms.domain.notices.standing import BOUNCES, Standing
from tests.functions.doors import House, ask, house
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud
__all__ = ["house"]

ADA = Contact("ada@example.com", "Ada")
EVENT = "FulfillmentOrderShipped"
TEMPLATES, PREVIEW = "/notices/templates", "POST /notices/templates/preview"
ONE = f"{TEMPLATES}/{{event}}"
NOTICES = "/orders/{order_id}/notices"
RESEND = f"POST {NOTICES}/{{event_id}}/resend"
CHOICES = "/notices/unsubscribe/{token}"
MINE: dict[str, Any] = {
    "event": EVENT,
    "locale": "de",
    "subject": "Unterwegs: {{order_number}}",
    "html": "<p>{{#items}}{{quantity}} {{sku}}<br>{{/items}}</p>",
    "text": "{{#items}}{{quantity}} {{sku}}\n{{/items}}",
}


@dataclass
class Shop:
    house: House
    world: World
    order_id: str

    def event(self, kind: str) -> dict[str, Any]:
        facts = self.world.orders.whole_history(self.order_id)
        told = next(envelope(self.order_id, x) for x in facts if type(x.event).__name__ == kind)
        return dict(json.loads(json.dumps(told, default=str)))

    def tell(self, kind: str = "PaymentAuthorized") -> str:
        return str(notify_customer.handler({"detail": self.event(kind)}, None)["outcome"])

    def listed(self) -> list[dict[str, Any]]:
        status, said = ask(api, f"GET {NOTICES}", order_id=self.order_id)
        assert status == 200
        return list(said["items"])

    def resend(self, key: str = "k1", event_id: str = "") -> tuple[int, Any]:
        event_id = event_id or self.event("PaymentAuthorized")["id"]
        headers = {"Idempotency-Key": key} if key else {}
        event_id = quote(event_id, safe="")
        return ask(api, RESEND, headers=headers, order_id=self.order_id, event_id=event_id)


@pytest.fixture
def shop(house: House, cloud: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Shop:
    world = World.new(dynamodb)
    cloud.client("sesv2").create_email_identity(EmailIdentity="shop@example.com")
    cloud.client("sesv2").create_configuration_set(
        ConfigurationSetName=house.environment["EVENT_BUS"]
    )
    more = {
        "ORDERS_TABLE": world.orders_name,
        "SENDER_EMAIL": "shop@example.com",
        "MAIL_REPORTS": house.environment["EVENT_BUS"],
        "TRACKING_PAGES": "https://shop.example/track/",
        "UNSUBSCRIBE_PAGES": "https://shop.example/notices/unsubscribe/",
    }
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    world.receive("MUG", 10)
    order = world.place(an_order(("MUG", 2)))
    write = vault().contact_write(order.customer_id, order.order_id, ADA)
    db.transact(db.client(), [write])
    world.pay(order.order_id)
    return Shop(house, world, order.order_id)


def post(route: str, body: Any, **more: Any) -> tuple[int, Any]:
    return ask(api, route, body, **more)


def test_what_was_sent_is_listed_with_its_template_and_without_a_word_of_the_person(
    shop: Shop,
) -> None:
    assert shop.tell() == "sent"

    (noted,) = shop.listed()
    told = {name: noted[name] for name in ("event", "medium", "state", "template", "locale")}
    assert told == {
        "event": "PaymentAuthorized",
        "medium": "mail",
        "state": "sent",
        "template": "built-in",
        "locale": "en",
    }
    assert "ada" not in json.dumps(noted).lower()


def test_staff_send_a_mail_once_more_and_the_same_key_sends_nothing(shop: Shop) -> None:
    shop.tell()

    answers = [shop.resend("k1"), shop.resend("k1"), shop.resend("k2")]

    assert [status for status, _ in answers] == [200, 200, 200]
    assert answers[0] == answers[1]
    assert [each["again"] for each in shop.listed()] == [False, True, True]
    assert len(mails(shop)) == 3


def mails(shop: Shop) -> list[Any]:
    with urllib.request.urlopen(f"{shop.house.cloud.url}/_ministack/ses/messages") as answer:
        boxes = json.load(answer)["messages"].values()
    order = shop.world.orders.get(shop.order_id)
    name = f"Your order {order.external_id} "
    return [mail for box in boxes for mail in box if mail["Subject"].startswith(name)]


def test_to_send_once_more_a_key_is_needed_and_an_event_that_is_told(shop: Shop) -> None:
    assert shop.resend(key="")[0] == 400
    assert shop.resend(event_id=shop.event("OrderPlaced")["id"])[0] == 404
    assert shop.resend(event_id=f"{shop.order_id}#000999")[0] == 404
    assert shop.resend(event_id="nonsense")[0] == 404
    assert shop.resend(event_id="2")[0] in (200, 404)  # its number alone will do


def test_an_address_that_bounced_is_written_to_again_when_staff_allow_it(shop: Shop) -> None:
    shop.tell()
    standings().suppress(secrets().customer_id("ada@example.com"), BOUNCES, now())
    assert shop.resend()[0] == 409

    allow = f"POST {NOTICES}/allow"
    answers = [ask(api, allow, order_id=shop.order_id)[1]["was_suppressed"] for _ in range(2)]

    assert answers == [True, False]
    assert shop.resend()[0] == 200


def test_what_the_mail_service_says_comes_by_its_topic(shop: Shop) -> None:
    shop.tell()
    seq = shop.event("PaymentAuthorized")["id"].rpartition("#")[2]
    said = {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [{"emailAddress": "Ada@Example.com"}],
        },
        "mail": {"tags": {"order_id": [shop.order_id], "notice": [seq]}},
    }

    take_mail_events.handler({"Records": [{"Sns": {"Message": json.dumps(said)}}]}, None)

    assert [each["outcome"] for each in shop.listed()] == [BOUNCES]
    assert standings().of(secrets().customer_id("ada@example.com")).suppressed == BOUNCES


def test_no_such_order_has_no_notices(shop: Shop) -> None:
    assert ask(api, f"GET {NOTICES}", order_id="ord_none")[0] == 404


def test_a_template_is_saved_activated_and_rolled_back(shop: Shop) -> None:
    first = post(f"POST {TEMPLATES}", MINE)
    again = post(f"POST {TEMPLATES}", MINE)
    second = post(f"POST {TEMPLATES}", MINE | {"subject": "Anders: {{order_number}}"})
    answers = [(status, said["version"]) for status, said in (first, again, second)]
    assert answers == [(201, 1), (200, 1), (201, 2)]
    assert not second[1]["in_use"]
    name = {"locale": "de", "brand": "any"}
    used = [
        post(f"POST {ONE}/activate", {**name, "version": version}, event=EVENT)[1]["version"]
        for version in (1, 2)
    ]
    back = [post(f"POST {ONE}/rollback", name, event=EVENT)[1]["version"] for _ in range(2)]
    off = post(f"POST {ONE}/activate", {**name, "version": 0}, event=EVENT)[1]

    assert (used, back) == ([1, 2], [1, 2])
    assert (off["version"], off["saved_by"]) == (0, "system")
    assert off["versions"] == [2, 1]
    assert "unterwegs" in off["subject"]


def test_a_brands_own_template_comes_before_any_brands_and_a_country_before_its_language(
    shop: Shop,
) -> None:
    table = templates_table()
    names = [("de", "any"), ("de-AT", "any"), ("de", "mugs"), ("de-AT", "mugs")]
    for place, (locale, brand) in enumerate(names):
        name = {"locale": locale, "brand": brand}
        post(f"POST {TEMPLATES}", MINE | name | {"subject": f"{place}"})
        post(f"POST {ONE}/activate", {**name, "version": 1}, event=EVENT)

    def used(locale: str, brand: str) -> str:
        found = table.used(EVENT, locale, brand)
        return found[0].subject if found else ""

    assert [used(*name) for name in names] == ["0", "1", "2", "3"]
    assert [used("de-CH", "mugs"), used("de-CH", "pots"), used("fr", "mugs")] == ["2", "0", ""]


def test_a_template_that_names_what_there_is_not_is_not_saved_and_the_name_is_told(
    shop: Shop,
) -> None:
    status, problem = post(f"POST {TEMPLATES}", MINE | {"text": "{{order_nomber}} {{total}}"})

    assert status == 422
    assert problem["errors"] == [
        {"field": "text", "reason": "order_nomber is no variable of this notice"},
        {"field": "text", "reason": "total is no variable of this notice"},
    ]
    assert ask(api, f"GET {ONE}", event=EVENT, query="locale=de")[1]["versions"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": "OrderPlaced"},
        {"locale": "german"},
        {"html": "<script>x</script>"},
        {"subject": "x" * 60_001},
        {"colour": "red"},
        {"version": 3},
    ],
)
def test_what_is_no_template_is_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    assert post(f"POST {TEMPLATES}", MINE | wrong)[0] == 422


def test_every_event_is_listed_with_what_is_built_in_and_what_is_ones_own(shop: Shop) -> None:
    post(f"POST {TEMPLATES}", MINE)
    post(f"POST {ONE}/activate", {"locale": "de", "version": 1}, event=EVENT)

    _, listed = ask(api, f"GET {TEMPLATES}")

    (found,) = (each for each in listed["items"] if each["event"] == EVENT)
    assert found["built_in"] == ["en", "fr", "de", "es", "pt"]
    assert found["own"] == [{"locale": "de", "brand": "any", "version": 1, "previous": 0}]
    assert len(listed["items"]) == 17


def test_a_template_is_shown_with_its_variables_and_can_be_saved_as_ones_own(shop: Shop) -> None:
    _, shown = ask(api, f"GET {ONE}", event=EVENT, query="locale=fr")
    variables = {each["name"]: each["rows"] for each in shown["variables"]}

    assert variables["parcels"] == ["carrier", "number"]
    assert variables["order_number"] is None
    mine = {name: shown[name] for name in ("event", "locale", "subject", "html", "text", "sms")}
    assert post(f"POST {TEMPLATES}", mine)[0] == 201
    assert ask(api, f"GET {ONE}", event="OrderPlaced")[0] == 404
    assert ask(api, f"GET {ONE}", event=EVENT, query="version=9")[0] == 404


@pytest.mark.parametrize("sample", ["usual", "bare", "long"])
def test_a_template_is_previewed_with_sample_orders(shop: Shop, sample: str) -> None:
    status, said = post(PREVIEW, {"event": EVENT, "locale": "de", "sample": sample})

    assert status == 200
    assert said["subject"] == "Ihre Bestellung 10023 ist unterwegs"
    assert said["sms_parts"] == 1
    assert "10023" in said["html"]
    assert "Guten Tag" in said["text"]


def test_a_preview_is_of_what_is_being_written_and_faults_are_told_in_their_place(
    shop: Shop,
) -> None:
    written = {name: MINE[name] for name in ("subject", "html", "text")}
    said = {"event": EVENT, "locale": "de", "template": written}

    assert post(PREVIEW, said)[1]["subject"] == "Unterwegs: 10023"
    status, problem = post(PREVIEW, said | {"template": written | {"html": "{{x}}"}})
    assert (status, problem["errors"][0]["field"]) == (422, "template.html")


def test_a_preview_of_a_real_order_shows_its_items_and_a_made_up_name(shop: Shop) -> None:
    event = shop.event("PaymentAuthorized")
    said = {"event": event["type"], "order_id": shop.order_id, "event_id": event["id"]}

    status, shown = post(PREVIEW, said)

    assert status == 200
    assert "2 × MUG" in shown["text"]
    assert "Dear Ada Example" in shown["text"]
    assert post(PREVIEW, said | {"event": EVENT})[0] == 404
    assert post(PREVIEW, {"event": EVENT, "order_id": shop.order_id})[0] == 422


def test_a_browser_is_shown_the_preview_as_a_page_that_runs_nothing(shop: Shop) -> None:
    event = {
        "routeKey": PREVIEW,
        "headers": {"accept": "text/html"},
        "body": json.dumps({"event": EVENT}),
    }

    answer = api.handler(event, None)

    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "sandbox" in answer["headers"]["content-security-policy"]
    assert answer["body"].startswith("<!doctype html>")


def test_a_brand_of_the_policy_is_in_the_mail(shop: Shop) -> None:
    brand = Brand("default", "Mugs & More", "#7a1f5c")
    policies_table().save(
        "notices", NoticePolicy(brands=(brand,)), expected=0, at=now(), actor="test"
    )

    _, said = post(PREVIEW, {"event": EVENT})

    assert "Mugs &amp; More" in said["html"]
    assert "#7a1f5c" in said["html"]
    assert said["sms"].startswith("Mugs & More: ")


def page(
    method: str, token: str, body: str = "", query: str = "", kind: str = ""
) -> tuple[int, str]:
    event = {
        "headers": {"Content-Type": kind or "application/x-www-form-urlencoded"},
        "routeKey": f"{method} {CHOICES}",
        "pathParameters": {"token": token},
        "rawQueryString": query,
        "body": body,
    }
    answer = unsubscribe_page.handler(event, None)
    return answer["statusCode"], answer["body"]


@pytest.fixture
def token(shop: Shop) -> str:
    return token_of(secrets().customer_id("ada@example.com"))


def standing_of(token: str) -> Standing:
    address_id = address_of(token)
    assert address_id
    return standings().of(address_id)


def test_to_look_at_the_page_changes_nothing(token: str) -> None:
    status, body = page("GET", token, query="lang=de")

    assert status == 200
    assert '<html lang="de">' in body
    assert 'name="mails" checked' in body
    assert 'name="texts" checked' not in body
    assert "<script" not in body
    assert standing_of(token) == Standing()


def test_one_click_ends_the_mails_about_the_progress(token: str) -> None:
    assert page("POST", token, "List-Unsubscribe=One-Click")[0] == 200
    assert standing_of(token) == Standing(mails=False)


def test_one_click_is_heard_also_in_parts(token: str) -> None:
    """RFC 8058, 3.2: mail clients should say it so."""
    part = 'Content-Disposition: form-data; name="List-Unsubscribe"'
    body = f"--b\r\n{part}\r\n\r\nOne-Click\r\n--b--\r\n"

    assert page("POST", token, body, kind="multipart/form-data; boundary=b")[0] == 200
    assert standing_of(token) == Standing(mails=False)


@pytest.mark.parametrize("kind", ["", "; boundary=", "; boundary=b", '; boundary="', "; a=é"])
def test_parts_that_say_nothing_change_nothing(token: str, kind: str) -> None:
    body = "--b\r\nContent-Disposition: form-data; name*0*=%ff\r\n\r\n\xff" + "--b\r\n" * 9_000

    assert page("POST", token, body, kind=f"multipart/form-data{kind}")[0] == 422
    assert standing_of(token) == Standing()


def test_the_form_chooses_mails_and_texts(token: str) -> None:
    status, body = page("POST", token, "save=1&texts=on")

    assert (status, standing_of(token)) == (200, Standing(mails=False, texts=True))
    assert "Thank you." in body
    page("POST", token, "save=1&mails=on")
    assert standing_of(token) == Standing(mails=True, texts=False)


@pytest.mark.parametrize("body", ["", "mails=on", "\udcff", "a=1&" * 20])
def test_what_chooses_nothing_changes_nothing(token: str, body: str) -> None:
    assert page("POST", token, body.encode(errors="replace").decode())[0] == 422
    assert standing_of(token) == Standing()


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "x" + t, lambda t: "cus_a-" + "a" * 26]
)
def test_a_token_that_is_not_ours_opens_nothing(token: str, change: Any) -> None:
    assert page("GET", change(token))[0] == 404
    assert page("POST", change(token), "save=1")[0] == 404


def test_a_mail_about_money_has_no_key_to_the_choices(shop: Shop, token: str) -> None:
    shop.tell()

    assert token not in json.dumps([mail["BodyText"] for mail in mails(shop)])


def test_an_address_is_the_same_however_it_is_written(token: str) -> None:
    assert address_of(token) == secrets().customer_id("ADA@example.com ")
