"""The bench counts as AWS bills, and says plainly what holds."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.bench.assembly import Assembly, bytecode_in, minutes_of
from infra.local.bench.measuring import (
    Express,
    Run,
    express_gb_seconds,
    express_runs,
    http_calls,
    transitions,
)
from infra.local.bench.processes import cpu_seconds
from infra.local.bench.rows import BUDGETS, Row
from infra.local.bench.walking import order
from infra.local.meter import Call, Tally, Written, call_of
from infra.local.prices import LIMITS, PRICES

PLACING = Call("CaptureApi", "dynamodb", "TransactWriteItems")
SIGNED = "AWS4-HMAC-SHA256 Credential=key/20261123/us-east-1/dynamodb/aws4_request, Signature=x"


def test_a_call_is_known_by_who_asks_and_what() -> None:
    headers = {
        "User-Agent": "Boto3/1.43 md/Botocore#1.43 app/CaptureApi",
        "X-Amz-Target": "DynamoDB_20120810.TransactWriteItems",
        "Authorization": SIGNED,
    }

    assert call_of(headers, "/") == PLACING


def test_a_caller_without_a_name_is_unknown() -> None:
    assert call_of({}, "/health?x=1") == Call("unknown", "unknown", "/health")


def test_units_are_those_that_the_table_reports() -> None:
    tally = Tally()
    used = [
        {"TableName": "orders", "CapacityUnits": 7.0},
        {"TableName": "stock", "CapacityUnits": 4.0},
    ]

    tally.note(PLACING, {}, 200, json.dumps({"ConsumedCapacity": used}).encode())

    assert tally.wru == {Written("CaptureApi", "orders"): 7, Written("CaptureApi", "stock"): 4}


def test_a_transaction_that_is_refused_is_paid_for_all_the_same() -> None:
    tally = Tally()
    asked = {
        "TransactItems": [{"Put": {"TableName": "orders"}}, {"Update": {"TableName": "stock"}}]
    }

    tally.note(PLACING, asked, 400, b"{}")

    assert tally.wru.total() == 4
    assert tally.refused[PLACING] == 1


def test_a_read_counts_as_a_read() -> None:
    tally = Tally()
    call = Call("RouteOrder", "dynamodb", "Query")
    used = {"TableName": "stock", "CapacityUnits": 0.5}

    tally.note(call, {}, 200, json.dumps({"ConsumedCapacity": used}).encode())

    assert tally.rru == {Written("RouteOrder", "stock"): 0.5}
    assert not tally.wru


def test_a_large_event_is_several_units() -> None:
    tally = Tally()
    entries = [{"DetailType": "OrderPlaced", "Detail": "x" * 65_537}]

    tally.note(Call("PublishEvents", "events", "PutEvents"), {"Entries": entries}, 200, b"{}")

    assert (tally.events["OrderPlaced"], tally.event_units) == (1, 2)


def entered(name: str, at: datetime) -> dict[str, Any]:
    details = {"name": name}
    return {"type": "TaskStateEntered", "timestamp": at, "stateEnteredEventDetails": details}


def exited(name: str, at: datetime) -> dict[str, Any]:
    return {"type": "TaskStateExited", "timestamp": at, "stateExitedEventDetails": {"name": name}}


def test_transitions_are_the_states_entered_and_the_step_to_the_end() -> None:
    at = datetime.now(UTC)

    assert transitions([entered("Prepare order", at), exited("Prepare order", at)]) == 2


def test_a_child_is_paid_for_by_started_tenths_of_a_second() -> None:
    at = datetime.now(UTC)
    later = at + timedelta(milliseconds=130)
    events = [entered("Prepare order", at), exited("Prepare order", later)]

    (seconds,) = express_runs(events, frozenset({"Prepare order"}))

    assert seconds == pytest.approx(0.13)
    assert express_gb_seconds(seconds) == pytest.approx(0.2 * 64 / 1024)


def test_a_gate_holds_only_when_each_of_its_figures_does() -> None:
    assert Row(3, (90, 15)).passes
    assert not Row(3, (45, 15.5)).passes
    assert not Row(3, (90, 15)).stretches


def test_some_rows_want_as_much_as_possible() -> None:
    assert Row(15, (1500,)).stretches
    assert not Row(9, (99.9,)).passes


def test_a_row_is_written_with_its_first_figure_as_the_value() -> None:
    assert Row(3, (45, 5.125)).as_json() == {
        "value": 45,
        "rru": 5.125,
        "unit": "wru",
        "passes": True,
    }


def test_each_budget_has_a_bound_for_each_figure() -> None:
    for budget in BUDGETS.values():
        assert len(budget.keys) == len(budget.gate) == len(budget.stretch)


def test_each_price_and_limit_says_where_it_stands_and_when_it_was_read() -> None:
    stated = [(each.page, each.read) for each in PRICES.values()]
    stated += [(each.page, each.read) for each in LIMITS.values()]

    assert all(page and read for page, read in stated)


@pytest.mark.parametrize(
    ("rate", "minutes"), [("rate(1 minute)", 1), ("rate(5 minutes)", 5), ("rate(1 day)", 1440)]
)
def test_a_schedule_has_its_minutes(rate: str, minutes: int) -> None:
    assert minutes_of(rate) == minutes


def assembly(folder: Path, **resources: Any) -> Assembly:
    template = {"Resources": {k: {"Type": t, "Properties": p} for k, (t, p) in resources.items()}}
    (folder / "One.template.json").write_text(json.dumps(template))
    (folder / "One.assets.json").write_text(json.dumps({"files": {}}))
    return Assembly(folder)


def test_idle_costs_are_those_of_what_stands_in_the_template(tmp_path: Path) -> None:
    found = assembly(
        tmp_path,
        Key=("AWS::KMS::Key", {}),
        Secret=("AWS::SecretsManager::Secret", {}),
        Late=("AWS::CloudWatch::Alarm", {}),
        Client=("AWS::Cognito::UserPoolClient", {"AllowedOAuthFlows": ["client_credentials"]}),
        Tick=("AWS::Events::Rule", {"ScheduleExpression": "rate(5 minutes)", "Targets": []}),
    ).idle_month()

    assert (found["keys"], found["secrets"], found["alarms"]) == (1.0, 0.4, 0.1)
    assert found["machine clients"] == 6.0
    assert 0 < found["schedules"] < 0.02


def test_an_event_is_brought_to_the_targets_of_its_rules(tmp_path: Path) -> None:
    rule = {
        "EventPattern": {"detail-type": ["OrderPlaced"]},
        "Targets": [{"Arn": {"Fn::GetAtt": ["Inbox", "Arn"]}}, {"Arn": {"Ref": "Else"}}],
    }
    every = {
        "EventPattern": {"source": [{"prefix": "oms."}]},
        "Targets": [{"Arn": {"Fn::GetAtt": ["Inbox", "Arn"]}}],
    }
    rules = {"Rule": ("AWS::Events::Rule", rule), "Every": ("AWS::Events::Rule", every)}
    found = assembly(tmp_path, **rules, Inbox=("AWS::SQS::Queue", {}))

    assert (found.targets_of("OrderPlaced"), found.targets_of("OrderShipped")) == (2, 0)
    assert (found.queued("OrderPlaced"), found.queued("OrderShipped")) == (2, 1)


def test_a_source_without_its_bytecode_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    for name in ("a.py", "b.py", "__pycache__/a.cpython-313.pyc"):
        (tmp_path / name).touch()

    assert bytecode_in(tmp_path).percent == 50


def test_the_cpu_time_of_a_process_is_read() -> None:
    before = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) < before + 0.03:
        sum(range(10_000))


def test_the_measured_order_adds_up() -> None:
    body = order(1)
    parts = sum(x["unit_price"] * x["quantity"] + x["taxes"][0]["amount"] for x in body["lines"])

    assert body["total"] == parts + body["shipping"]["price"]


def test_placing_is_what_is_left_of_the_calls_of_a_whole_life() -> None:
    counts = {"http.requests": 700.0}
    run = Run(100, Tally(), counts, 600, Express(100, 1.0), cpu=1.0, queued=100, access_bytes=0)

    assert http_calls(run) == 1
