"""What wakes somebody is written down, and what they look at is there."""

from __future__ import annotations

import json
import re

from infra.local.install import ROOT
from tests.infra.conftest import Assembly

RUNBOOK = (ROOT / "docs/operations.md").read_text()


def section(title: str) -> str:
    return RUNBOOK.split(f"\n## {title}\n")[1].split("\n## ")[0]


def alarms(aws: Assembly) -> set[str]:
    """As they are declared: without the digest that CloudFormation's ids end with."""
    return {
        re.sub(r"^Alarms|[0-9A-F]{8}$", "", name)
        for template in aws.templates.values()
        for name, it in template["Resources"].items()
        if it["Type"] == "AWS::CloudWatch::Alarm"
    }


def test_each_alarm_has_its_entry_in_the_runbook(aws: Assembly) -> None:
    found, letters = section("Alarms"), section("Dead letters")
    missing = {
        name
        for name in alarms(aws)
        if f"`{name}`" not in found and f"`{name.removesuffix('Failures')}`" not in letters
    }

    assert missing == set()


def test_the_runbook_speaks_of_no_function_that_is_not_there(aws: Assembly) -> None:
    rows = [line.split("|")[1] for line in section("Dead letters").splitlines() if "|" in line]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named
    assert named <= set(aws.functions)


def test_the_dashboard_shows_metrics_that_somebody_sends(aws: Assembly) -> None:
    (board,) = aws.of_type("CloudWatch::Dashboard").values()
    shown = set(re.findall(r"\[\"Baton\",\"(\w+)\"", json.dumps(board).replace('\\"', '"')))
    filtered = {
        each["MetricName"]
        for it in aws.of_type("Logs::MetricFilter").values()
        for each in it["Properties"]["MetricTransformations"]
    }
    sources = "".join(path.read_text() for path in (ROOT / "functions/ops").glob("measure_*.py"))
    sent = {name for name in shown if f'"{name}"' in sources}

    assert len(shown) == 6
    assert shown == filtered | sent


def test_every_log_that_is_counted_is_that_of_a_function(aws: Assembly) -> None:
    groups = [it["Properties"]["LogGroupName"] for it in aws.of_type("Logs::MetricFilter").values()]
    known = {f"/aws/lambda/{it['Properties']['FunctionName']}" for it in aws.functions.values()}

    named = {each for each in groups if isinstance(each, str)}
    assert named
    assert named <= known
