"""Handlers as Lambda calls them, with their environment and real clients."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from functions.archive import collect_events
from functions.books import api as books_api
from functions.notifications import notify_customer
from functions.ops import api as ops_api
from functions.ops import reconcile_orders
from functions.reports import api as reports_api
from functions.reports import project_events
from oms.adapters import (
    attention,
    channel_inbox,
    credit_ledger,
    dynamodb,
    event_log,
    event_queue,
    figures,
    files,
    generations,
    histories,
    item_books,
    messenger,
    notices,
    order_reader,
    orders_table,
    policies_table,
    secrets,
    standings,
    templates_table,
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
    messenger.messenger,
    secrets.secrets,
    standings.standings,
    templates_table.templates_table,
    notices.notices,
    event_log.event_log,
    event_queue.event_queue,
    figures.figures_table,
    files.files,
    generations.generations_table,
    order_reader.order_reader,
    policies_table.policies_table,
    attention.attention_list,
    channel_inbox.inbox_list,
    histories.histories,
    orders_table.orders_table,
    credit_ledger.credit_ledger,
    ops_api.desk,
    item_books.item_books,
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
        "KEYS_TABLE": create_table(dynamodb, "keys", f"keys-{name}"),
        "REPORTS_TABLE": create_table(dynamodb, "reports", f"reports-{name}"),
        "CHANNELS_TABLE": create_table(dynamodb, "channels", f"channels-{name}"),
        "EVENT_QUEUE": cloud.client("sqs").create_queue(QueueName=f"events-{name}")["QueueUrl"],
        "FILES_BUCKET": a_bucket(cloud.client("s3"), f"files-{name}"),
        "VAULT_KEY_ID": cloud.client("kms").create_key()["KeyMetadata"]["KeyId"],
        "SENDER_EMAIL": "shop@example.com",
        "MAIL_REPORTS": f"mails-{name}",
        "SECRET_ID": a_secret(cloud.client("secretsmanager"), f"secrets-{name}"),
        "TRACKING_PAGES": "none",
        "UNSUBSCRIBE_PAGES": "none",
        "ORDER_WORKFLOW": a_machine(cloud.client("stepfunctions")),
        "RETURN_WORKFLOW": a_machine(cloud.client("stepfunctions")),
    }
    for setting, value in environment.items():
        monkeypatch.setenv(setting, value)
    cloud.client("sesv2").create_email_identity(EmailIdentity="shop@example.com")
    cloud.client("sesv2").create_configuration_set(ConfigurationSetName=f"mails-{name}")
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)
    world.route(order_id)
    forget()
    yield Deployed(world, order_id)
    forget()


def a_bucket(client: Any, name: str) -> str:
    client.create_bucket(Bucket=name)
    return name


def a_secret(client: Any, name: str) -> str:
    answer = client.create_secret(Name=name, SecretString=json.dumps({"pepper": "p"}))
    return str(answer["ARN"])


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


def test_sales_are_archived_counted_and_told(deployed: Deployed, cloud: Any) -> None:
    for body in (json.dumps(deployed.events()["OrderPlaced"]), "?"):
        cloud.client("sqs").send_message(QueueUrl=os.environ["EVENT_QUEUE"], MessageBody=body)

    collected = collect_events.handler({}, None)
    again = collect_events.handler({}, None)
    projected = project_events.handler({}, None)

    assert (collected["segments"], collected["events"], collected["unreadable"]) == (1, 1, 1)
    assert again["segments"] == 0
    assert (projected["segments"], projected["events"]) == (1, 1)
    (row,) = deployed.ask(reports_api, "GET /reports/sales", "channel=web")["rows"]
    assert (row["orders"], row["units"], row["gross"]) == (1, 2, 2000)


def test_the_books_are_told(deployed: Deployed) -> None:
    books = deployed.ask(books_api, "GET /books", "full=true")

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
