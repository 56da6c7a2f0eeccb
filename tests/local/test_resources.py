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


MAPPED = {
    "Queue": {"Type": "AWS::SQS::Queue"},
    "Role": {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    },
    "Function": {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": "def handler(event, context): pass"},
        },
    },
    "Mapping": {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "Enabled": False,
            "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
            "FunctionName": {"Ref": "Function"},
        },
    },
}


def test_a_mapping_that_is_deployed_disabled_says_so(cloud: Cloud) -> None:
    formation = cloud.client("cloudformation")
    template = {"Resources": MAPPED, "Outputs": {"Mapping": {"Value": {"Ref": "Mapping"}}}}
    formation.create_stack(StackName="mapped", TemplateBody=json.dumps(template))
    formation.get_waiter("stack_create_complete").wait(
        StackName="mapped", WaiterConfig={"Delay": 1}
    )

    (stack,) = formation.describe_stacks(StackName="mapped")["Stacks"]
    mapping = stack["Outputs"][0]["OutputValue"]

    found = cloud.client("lambda").get_event_source_mapping(UUID=mapping)
    assert found["State"] == "Disabled"
