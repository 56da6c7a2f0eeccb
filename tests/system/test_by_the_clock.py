"""What the clock calls can do its work where it is deployed, with its role, layers and settings."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime
from typing import Any

from infra.cli import lake
from infra.questions import Question
from tests.system.shop import Shop


def scheduled(shop: Shop) -> list[str]:
    events = shop.cloud.client("events")
    rules = [each["Name"] for each in events.list_rules()["Rules"] if "ScheduleExpression" in each]
    targets = [t for name in rules for t in events.list_targets_by_rule(Rule=name)["Targets"]]
    return sorted({target["Arn"].rpartition("-")[2] for target in targets})


def test_a_report_is_mailed_with_its_picture(shop: Shop) -> None:
    """First: a function that has run knows the policy of a minute ago."""
    now = datetime.now(UTC)
    reader = "reader@example.com"
    mail = {"name": "daily", "report": "sales", "to": [reader], "every": "day", "hour": now.hour}
    version = shop.api.get("/policies/reports")["version"]
    shop.api.put("/policies/reports", {"version": version, "document": {"mails": [mail]}})

    shop.invoke("MailReports", {})

    (sent,) = [each for each in mails(shop) if reader in json.dumps(each)]
    assert "Sales, " in json.dumps(sent)


def mails(shop: Shop) -> list[Any]:
    with urllib.request.urlopen(f"{shop.cloud.url}/_ministack/ses/messages") as answer:
        boxes = json.load(answer)["messages"].values()
    return [mail for box in boxes for mail in box]


def test_every_function_that_the_clock_calls_runs_to_its_end(shop: Shop) -> None:
    names = scheduled(shop)

    assert {"CollectEvents", "KeepBooks", "MailReports", "SendDeliveries", "WriteLake"} <= {*names}
    for name in names:
        shop.invoke(name, {})


def test_what_was_sold_is_in_the_lake(shop: Shop, tmp_path: Any, monkeypatch: Any) -> None:
    sku = shop.stocked(3)
    order_id = shop.place((sku, 1))
    shop.until(order_id, status="in_fulfillment")
    shop.invoke("CollectEvents", {})
    shop.invoke("WriteLake", {})

    monkeypatch.setattr(lake, "client_of", shop.cloud.client)
    assert lake.fetched(tmp_path)
    said = f"SELECT type FROM events WHERE order_id = '{order_id}' ORDER BY seq"
    _, rows = lake.answered(Question("", "", said), tmp_path)
    assert [kind for (kind,) in rows][:2] == ["OrderPlaced", "PaymentAuthorized"]
