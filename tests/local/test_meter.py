"""The meter of the embedded cloud counts what AWS would bill."""

import pytest

from infra.local.cloud import Cloud
from tests.cloud import deploy_function
from tests.local.test_machines import machine

pytestmark = pytest.mark.cloud


@pytest.fixture(autouse=True)
def reset(cloud: Cloud) -> None:
    cloud.meter(reset=True)


def test_a_row_of_a_table_without_index_costs_a_unit_and_twice_in_a_transaction(
    cloud: Cloud,
) -> None:
    rows = cloud.client("dynamodb")
    rows.create_table(
        TableName="metered",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
    )
    row = {"TableName": "metered", "Item": {"PK": {"S": "1"}}}
    rows.put_item(**row)
    rows.transact_write_items(TransactItems=[{"Put": row}])
    rows.get_item(TableName="metered", Key={"PK": {"S": "1"}})

    meter = cloud.meter()

    assert (meter["dynamodb.wru"], meter["dynamodb.rru"]) == (3, 0.5)
    assert meter["dynamodb.PutItem"] == 1


def test_calls_and_transitions_are_counted(cloud: Cloud) -> None:
    function = deploy_function(cloud, "def handler(event, context): print('a line')")
    cloud.client("lambda").invoke(FunctionName=function)
    arn = machine(cloud, Start={"Type": "Pass", "Next": "Done"}, Done={"Type": "Succeed"})
    cloud.client("stepfunctions").start_sync_execution(stateMachineArn=arn)

    meter = cloud.meter()

    assert meter[f"lambda.calls.{function}"] == 1
    assert meter["lambda.log_bytes"] >= len("a line")
    assert meter["states.transitions.standard"] == 2
