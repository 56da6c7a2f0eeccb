"""Handlers as AWS calls them: their environment, and the events of its gateway and streams."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.items_table import ItemsTable
from oms.adapters.orders_table import OrdersTable
from oms.adapters.stock_table import StockTable
from oms.domain.locations import Location, LocationKind
from tests.functions.world import now
from tests.tables import create_table

SECRETS = {
    "easypost": "wébhook",
    "shopify": "shhh",
    "test": "bank",
    "pepper": "p",
    "17track": "seventeen",
    "aftership": "after",
    "ups": "agreed",
}
WAITS = {"Type": "Wait", "Seconds": 600, "Next": "End"}


@dataclass
class House:
    """Tables, a secret, a key, a bus and a workflow that only waits, with nothing in them."""

    cloud: Any
    environment: dict[str, str]

    @classmethod
    def built(cls, cloud: Any) -> House:
        name = uuid4().hex[:12]
        tables = {
            f"{kind.upper()}_TABLE": create_table(cloud.client("dynamodb"), kind, f"{kind}-{name}")
            for kind in ("orders", "stock", "customers", "keys", "reports", "channels")
        }
        secret = cloud.client("secretsmanager").create_secret(
            Name=name, SecretString=json.dumps(SECRETS)
        )
        cloud.client("events").create_event_bus(Name=name)
        cloud.client("s3").create_bucket(Bucket=name)
        queue = cloud.client("sqs").create_queue(QueueName=f"fetch-{name}")["QueueUrl"]
        return cls(
            cloud,
            {
                **cloud.environment(),
                **tables,
                "SECRET_ID": secret["ARN"],
                "VAULT_KEY_ID": cloud.client("kms").create_key()["KeyMetadata"]["KeyId"],
                "EVENT_BUS": name,
                "FILES_BUCKET": name,
                "FETCH_QUEUE": queue,
                "RETURN_CARRIER": "test",
                "LABEL_CARRIERS": "manual,test",
                "EASYPOST_API": "http://127.0.0.1:9/v2",
                "PAYMENT_PROVIDERS": "external,test",
                "ORDER_WORKFLOW": machine(cloud.client("stepfunctions"), name),
                "RETURN_WORKFLOW": machine(cloud.client("stepfunctions"), f"returns-{name}"),
            },
        )

    @property
    def stock(self) -> StockTable:
        return StockTable(self.cloud.client("dynamodb"), self.environment["STOCK_TABLE"])

    @property
    def items(self) -> ItemsTable:
        return ItemsTable(self.cloud.client("dynamodb"), self.environment["STOCK_TABLE"])

    @property
    def orders(self) -> OrdersTable:
        client, name = self.cloud.client("dynamodb"), self.environment["ORDERS_TABLE"]
        return OrdersTable(client, name, self.stock)

    def stocked(self, sku: str, quantity: int) -> None:
        self.stock.put_location(Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US"))
        self.stock.receive(sku, "AUSTIN", quantity, at=now(), actor="test")

    def rows(self, kind: str) -> list[Any]:
        table = self.environment[f"{kind.upper()}_TABLE"]
        return list(self.cloud.client("dynamodb").scan(TableName=table)["Items"])


@pytest.fixture
def house(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    built = House.built(cloud)
    for name, value in built.environment.items():
        monkeypatch.setenv(name, value)
    forget()
    yield built
    forget()


def forget() -> None:
    """As in a new execution environment."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("oms.adapters", "functions")):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


def ask(
    api: Any, route: str, body: Any = None, *, query: str = "", packed: bool = False, **more: Any
) -> tuple[int, Any]:
    """The status and the body of the answer. `packed`: the gateway sends the body in base64."""
    text = body.decode() if isinstance(body, bytes) else "" if body is None else json.dumps(body)
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in more.pop("headers", {}).items()},
        "pathParameters": more,
        "requestContext": {
            "requestId": "r-1",
            "authorizer": {"jwt": {"claims": {"client_id": "shop"}}},
        },
        "body": base64.b64encode(text.encode()).decode() if packed else text,
        "isBase64Encoded": packed,
    }
    answer = api.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def machine(client: Any, name: str) -> str:
    states = {"First": WAITS, "End": {"Type": "Succeed"}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "First", "States": states}
    role = "arn:aws:iam::000000000000:role/any"
    answer = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    return str(answer["stateMachineArn"])
