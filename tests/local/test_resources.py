"""What CloudFormation makes on the embedded cloud is what AWS would make."""

import json

import pytest

from infra.local.cloud import Cloud

pytestmark = pytest.mark.cloud

TEMPLATE = {
    "Resources": {
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "{}"}},
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "Metrics": [{"Id": "all", "Expression": "a + b", "ReturnData": True}],
            },
        },
    },
    "Outputs": {"Secret": {"Value": {"Ref": "Secret"}}},
}


def test_a_reference_to_a_secret_is_its_arn_and_metric_math_is_taken(cloud: Cloud) -> None:
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName="resources", TemplateBody=json.dumps(TEMPLATE))
    formation.get_waiter("stack_create_complete").wait(
        StackName="resources", WaiterConfig={"Delay": 1}
    )

    (stack,) = formation.describe_stacks(StackName="resources")["Stacks"]
    (output,) = stack["Outputs"]

    assert output["OutputValue"].startswith("arn:aws:secretsmanager:")
    found = cloud.client("secretsmanager").get_secret_value(SecretId=output["OutputValue"])
    assert found["SecretString"] == "{}"
