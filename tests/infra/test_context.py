"""What a deployment may be told by `-c name=value`."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from infra.local.install import ROOT
from infra.local.synth import node_home

ALARMS = """
import json, sys
from aws_cdk import App, Stack
from infra.alarms import Alarms
app = App(context=json.loads(sys.argv[1]))
Alarms(Stack(app, "S"))
print(json.dumps(app.synth().get_stack_by_name("S").template))
"""
PROVIDERS = """
import json, sys
from aws_cdk import App, Stack
from infra.bundling import Target
from infra.capture import payment_providers
context = json.loads(sys.argv[1])
print(json.dumps(payment_providers(Stack(App(context=context), "S"), Target("aws"))))
"""


def told(program: str, **context: Any) -> Any:
    path = f"{node_home()}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-c", program, json.dumps(context)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_alarms_are_mailed_to_whom_the_deployment_names() -> None:
    resources = told(ALARMS, alarmEmail="duty@example.com")["Resources"].values()

    (subscription,) = (it for it in resources if it["Type"] == "AWS::SNS::Subscription")
    assert subscription["Properties"]["Protocol"] == "email"
    assert subscription["Properties"]["Endpoint"] == "duty@example.com"


@pytest.mark.parametrize(("said", "enabled"), [("true", True), ("false", False)])
def test_a_trial_on_aws_may_take_orders_that_nobody_pays_for(said: str, enabled: bool) -> None:
    assert ("test" in told(PROVIDERS, sandboxPayments=said).split(",")) == enabled


def test_a_deployment_names_the_providers_that_it_has_an_account_with() -> None:
    enabled = told(PROVIDERS, paymentProviders="stripe,external,bank_transfer").split(",")

    assert enabled == ["external", "store_credit", "gift_card", "stripe", "bank_transfer"]
