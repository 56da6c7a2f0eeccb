"""What the embedded cloud keeps over a restart, asked for or not."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.cloud import Cloud, free_port
from tests.cloud import deploy_function, eventually
from tests.local.test_machines import WAIT, machine
from tests.local.test_streams import Stream

pytestmark = [pytest.mark.cloud, pytest.mark.slow]


SETTINGS = {"LOCAL_SNAPSHOT_SECONDS": "1", "LOCAL_PARENT": str(os.getpid())}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, free_port(), auth=False, settings=SETTINGS)
    cloud.start()
    yield cloud
    cloud.kill()


def wait_for_snapshot(cloud: Cloud) -> None:
    """Until a snapshot that began after this moment is on the disk."""
    path, before = cloud.home / "state" / "dynamodb.json", time.time()
    eventually(lambda: path.exists() and path.stat().st_mtime > before + 1)


def test_a_killed_cloud_comes_back_with_what_it_had_seconds_ago(cloud: Cloud) -> None:
    function = deploy_function(cloud, "def handler(event, context): return 'still here'")
    stream = Stream(cloud, "report")
    stream.put("1")
    wait_for_snapshot(cloud)

    cloud.kill()
    cloud.start()

    answer = cloud.client("lambda").invoke(FunctionName=function)
    assert json.loads(answer["Payload"].read()) == "still here"
    assert cloud.client("dynamodb").scan(TableName=stream.table)["Count"] == 1


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_reader_goes_on_where_it_was_after_a_restart(cloud: Cloud, how: str) -> None:
    stream = Stream(cloud, "report")
    stream.put("1", "2", "3")
    eventually(lambda: len(stream.seen()) == 3)
    cloud.client("lambda").update_event_source_mapping(UUID=stream.mapping, Enabled=False)
    cloud.client("dynamodb").put_item(TableName=stream.table, Item={"PK": {"S": "unread"}})
    wait_for_snapshot(cloud)

    getattr(cloud, how)()
    cloud.start()
    stream.put("4")

    eventually(lambda: len(stream.seen()) == 5)
    assert stream.seen() == ["1", "2", "3", "unread", "4"]


def test_an_execution_that_was_running_has_failed_after_a_restart(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")
    arn = machine(cloud, Wait={**WAIT, "Seconds": 600})
    execution = states.start_execution(stateMachineArn=arn, name="ord_1")["executionArn"]
    wait_for_snapshot(cloud)

    cloud.kill()
    cloud.start()

    answer = states.describe_execution(executionArn=execution)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.ServiceRestart")
