"""A person who has bought is erased: nothing of the whole deployment names them any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.functions.privacy.person import inflated, octets_of, records_of
from tests.system.shop import Shop, box_of, identity

pytestmark = pytest.mark.system


def person() -> dict[str, str]:
    """Words that nobody else has, and that say so when they are found."""
    mark = uuid4().hex[:8]
    return {
        "email": f"quux-{mark}@example.test",
        "name": f"Zebedee Quux-{mark}",
        "line1": f"77 Bramblewick-{mark} Lane",
        "phone": f"+1 512 {mark}",
    }


def completed(shop: Shop, who: dict[str, str]) -> Any:
    """By the same requests and events as any order."""
    sku = shop.stocked(5)
    address = {"name": who["name"], "line1": who["line1"], "phone": who["phone"]}
    basket = shop.basket((sku, 1))
    basket["customer"] = {"email": who["email"], "name": who["name"], "phone": who["phone"]}
    basket["shipping_address"] = {**basket["shipping_address"], **address}
    placed = shop.api.post("/orders", basket, key=f"erasure-{uuid4().hex}")
    routed = shop.until(placed["order_id"], status="in_fulfillment", payment_status="authorized")
    box = box_of(routed)
    shop.do(identity(box), "accept", "pick", "pack")
    number = shop.ship(box)
    shop.until(placed["order_id"], payment_status="paid", fulfillment_status="shipped")
    shop.scan(number, "delivered")
    return shop.until(placed["order_id"], status="completed")


def test_nothing_in_tables_streams_files_logs_and_histories_names_an_erased_person(
    shop: Shop,
) -> None:
    who = person()
    order = completed(shop, who)
    customer = f"/customers/{order['customer_id']}"
    before = places_of(shop, who)
    made = shop.api.post(f"{customer}/export", {})
    assert who["email"] not in json.dumps(made)

    erased = shop.api.post(f"{customer}/erase", {})

    assert before == set()
    assert (erased["status"], erased["counts"]["contact"]) == ("erasing", 1)
    assert places_of(shop, who) == set()
    kept = shop.order(order["order_id"])
    assert kept["totals"] == order["totals"]
    assert shop.api.get(f"{customer}/reads")["items"][0]["why"] == "export"
    assert shop.invoke("TendPrivacy", {})["erased"] == 0  # every worker has to hear of it first


def places_of(shop: Shop, who: dict[str, str]) -> set[str]:
    words = [word.lower() for word in who.values()]
    return {
        place
        for place, octets in everything(shop)
        if any(word in octets.decode(errors="replace").lower() for word in words)
    }


def everything(shop: Shop) -> Iterator[tuple[str, bytes]]:
    yield from rows(shop)
    yield from stored(shop)
    yield from lines(shop)
    yield from histories(shop)


def rows(shop: Shop) -> Iterator[tuple[str, bytes]]:
    client, streams = shop.cloud.client("dynamodb"), shop.cloud.client("dynamodbstreams")
    for table in client.list_tables()["TableNames"]:
        for page in client.get_paginator("scan").paginate(TableName=table):
            yield from ((table, each) for row in page["Items"] for each in octets_of(row))
        yield from ((f"stream of {table}", each) for each in records_of(client, streams, table))


def stored(shop: Shop) -> Iterator[tuple[str, bytes]]:
    client = shop.cloud.client("s3")
    for bucket in client.list_buckets()["Buckets"]:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for each in page.get("Contents", ()):
                if not each["Key"].endswith((".zip", ".template.json")):  # what is deployed
                    body = client.get_object(Bucket=bucket["Name"], Key=each["Key"])["Body"].read()
                    yield from ((each["Key"], octets) for octets in inflated(body))


def lines(shop: Shop) -> Iterator[tuple[str, bytes]]:
    client = shop.cloud.client("logs")
    for group in client.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for event in client.filter_log_events(logGroupName=name)["events"]:
            yield name, event["message"].encode()


def histories(shop: Shop) -> Iterator[tuple[str, bytes]]:
    client = shop.cloud.client("stepfunctions")
    for machine in client.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        for execution in client.list_executions(stateMachineArn=arn)["executions"]:
            told = client.get_execution_history(executionArn=execution["executionArn"])["events"]
            yield arn, json.dumps(told, default=str).encode()
