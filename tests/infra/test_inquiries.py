"""Mails of customers come in where a deployment names their address."""

import json
from typing import Any

from tests.infra.test_context import told

PROGRAM = """
import json, sys
from aws_cdk import App, Stack
from infra.bundling import Target
from infra.data import Data
from infra.inquiries import Inquiries
from infra.python_function import Layers
app = App(context=json.loads(sys.argv[1]))
data = Data(app, "OmsData", "shop@example.com")
stack = Stack(app, "OmsPeople")
Inquiries(stack, data, Layers(stack, Target("aws")))
made = app.synth()
templates = [made.get_stack_by_name(name).template for name in ("OmsData", "OmsPeople")]
print(json.dumps([each["Resources"] for each in templates]))
"""


def of_type(resources: dict[str, Any], kind: str) -> list[Any]:
    return [each["Properties"] for each in resources.values() if each["Type"] == f"AWS::{kind}"]


def test_mails_are_looked_at_stored_in_their_folder_and_told_to_the_function() -> None:
    data, people = told(PROGRAM, target="aws", serviceMail="service@example.com")

    (rule,) = of_type(people, "SES::ReceiptRule")
    stored, called = rule["Rule"]["Actions"]
    assert rule["Rule"]["Recipients"] == ["service@example.com"]
    assert rule["Rule"]["ScanEnabled"] is True
    assert stored["S3Action"]["ObjectKeyPrefix"] == "mail/"
    assert called["LambdaAction"]["InvocationType"] == "Event"
    (policy,) = of_type(data, "S3::BucketPolicy")
    allowed = [x for x in policy["PolicyDocument"]["Statement"] if x["Effect"] == "Allow"]
    (statement,) = allowed
    assert statement["Action"] == "s3:PutObject"
    assert statement["Principal"] == {"Service": "ses.amazonaws.com"}
    assert "/mail/*" in json.dumps(statement["Resource"])
    assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]


def test_without_an_address_nothing_comes_in() -> None:
    data, people = told(PROGRAM, target="aws")

    assert of_type(people, "SES::ReceiptRule") == []
    assert "ses.amazonaws.com" not in json.dumps(of_type(data, "S3::BucketPolicy"))
