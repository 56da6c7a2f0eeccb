"""Handlers as Lambda calls them, with their environment and real clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from functions.notifications import notify_customer
from functions.ops import api as ops_api
from functions.ops import reconcile_orders
from functions.reports import api as reports_api
from functions.reports import project_event
from oms.adapters import (
    attention,
    channel_inbox,
    credit_ledger,
    dynamodb,
    histories,
    mail,
    notices,
    orders_table,
    sales_table,
    vault,
    workflow,
)
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain.contact import Contact
from tests.functions.world import World, an_order
from tests.tables import create_table

pytestmark = pytest.mark.cloud

FACTORIES: list[Any] = [
    dynamodb.client,
    workflow.client,
    workflow.workflow,
    workflow.executions,
    vault.vault,
    mail.mailer,
    notices.notices,
    sales_table.sales_table,
    attention.attention_list,
    channel_inbox.inbox_list,
    histories.histories,
    orders_table.orders_table,
    credit_ledger.credit_ledger,
    ops_api.desk,
    ops_api.stock_table,
]


@dataclass
class Deployed:
    world: World
    order_id: str

    def events(self) -> dict[str, dict[str, Any]]:
        """What the bus says of the order, by type."""
        facts = self.world.orders.whole_history(self.order_id)
        told = [envelope(self.order_id, fact) for fact in facts]
        said = json.loads(json.dumps(told, default=str))
        return {each["type"]: {"detail-type": each["type"], "detail": each} for each in said}

    def ask(self, api: Any, route: str, query: str = "", **path: str) -> Any:
        event = {"routeKey": route, "rawQueryString": query, "pathParameters": path}
        answer = api.handler(event, None)
        assert answer["statusCode"] == 200, answer
        return json.loads(answer["body"])


@pytest.fixture
def deployed(cloud: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """An order that is routed, and the environment of every function."""
    world = World.new(dynamodb)
    world.receive("MUG", 10)
    name = uuid4().hex[:12]
    environment = {
        **cloud.environment(),
        "ORDERS_TABLE": world.orders_name,
        "STOCK_TABLE": world.stock_name,
        "CUSTOMERS_TABLE": create_table(dynamodb, "customers", f"customers-{name}"),
        "REPORTS_TABLE": create_table(dynamodb, "reports", f"reports-{name}"),
        "CHANNELS_TABLE": create_table(dynamodb, "channels", f"channels-{name}"),
        "VAULT_KEY_ID": cloud.client("kms").create_key()["KeyMetadata"]["KeyId"],
        "SENDER_EMAIL": "shop@example.com",
        "TRACKING_PAGES": "none",
        "ORDER_WORKFLOW": a_machine(cloud.client("stepfunctions")),
        "RETURN_WORKFLOW": a_machine(cloud.client("stepfunctions")),
    }
    for setting, value in environment.items():
        monkeypatch.setenv(setting, value)
    cloud.client("sesv2").create_email_identity(EmailIdentity="shop@example.com")
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)
    world.route(order_id)
    forget()
    yield Deployed(world, order_id)
    forget()


def a_machine(client: Any) -> str:
    waits = {"Type": "Wait", "Seconds": 600, "Next": "End"}
    states = {"First": waits, "End": {"Type": "Succeed"}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "First", "States": states}
    answer = client.create_state_machine(
        name=f"m-{uuid4().hex[:12]}",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::000000000000:role/any",
    )
    return str(answer["stateMachineArn"])


def forget() -> None:
    for factory in FACTORIES:
        factory.cache_clear()


def test_a_customer_is_told(deployed: Deployed) -> None:
    order = deployed.world.orders.get(deployed.order_id)
    contact = Contact("ada@example.com", "Ada")
    write = vault.vault().contact_write(order.customer_id, order.order_id, contact)
    dynamodb.transact(deployed.world.client, [write])
    event = deployed.events()["PaymentAuthorized"]

    outcomes = [notify_customer.handler(event, None)["outcome"] for _ in range(2)]

    assert outcomes == ["sent", "sent before"]


def test_sales_are_counted_and_told(deployed: Deployed) -> None:
    body = json.dumps(deployed.events()["OrderPlaced"])
    batch = {"Records": [{"messageId": "1", "body": body}, {"messageId": "2", "body": "?"}]}

    assert project_event.handler(batch, None) == {"batchItemFailures": [{"itemIdentifier": "2"}]}

    (row,) = deployed.ask(reports_api, "GET /reports/sales", "channel=web")["items"]
    assert (row["orders"], row["units"], row["gross"]) == (1, 2, 2000)


def test_the_books_are_told(deployed: Deployed) -> None:
    books = deployed.ask(ops_api, "GET /books")

    assert (books["balanced"], books["counted"]["units_reserved"]) == (True, 2)


def test_a_decision_is_taken_and_the_workflow_started(deployed: Deployed) -> None:
    deployed.world.do(deployed.order_id, c.RaiseAttention("late"))

    route = "POST /attention/{order_id}/retry"
    order = deployed.ask(ops_api, route, order_id=deployed.order_id)

    assert order["attention"] == ""
    assert list(workflow.workflow().running()) == [deployed.order_id]
    assert deployed.ask(ops_api, "GET /attention")["items"] == []


def test_the_reconciler_looks_at_orders_that_are_not_new(deployed: Deployed) -> None:
    counts = reconcile_orders.handler({}, None)

    assert (counts["outcome"], counts["looked_at"]) == ("reconciled", 0)
