"""A function reads a table's stream on the embedded cloud as on AWS."""

import json
from itertools import count
from typing import Any

import pytest

from infra.local.cloud import Cloud
from tests.cloud import deploy_function, eventually

pytestmark = pytest.mark.cloud

NAMES = (f"stream-test-{n}" for n in count())

READER = """
import os

def handler(event, context):
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["PK"]["S"]
        if key.startswith("bad") and os.environ["HOW"] == "raise":
            raise ValueError(key)
        if key.startswith("bad"):
            number = record["dynamodb"]["SequenceNumber"]
            return {"batchItemFailures": [{"itemIdentifier": number}]}
        with open(os.environ["SEEN"], "a") as seen:
            seen.write(key + " ")
    return {"batchItemFailures": []}
"""


class Stream:
    """A table with a reader that notes what it handled; what starts with "bad" fails."""

    def __init__(self, cloud: Cloud, how: str, **mapping: Any) -> None:
        self.cloud = cloud
        self.table = next(NAMES)
        self.notes = cloud.home / f"{self.table}.seen"
        self.queue = cloud.client("sqs").create_queue(QueueName=self.table)["QueueUrl"]
        source = self.create_table()
        function = deploy_function(
            cloud, READER, Environment={"Variables": {"SEEN": str(self.notes), "HOW": how}}
        )
        self.mapping = cloud.client("lambda").create_event_source_mapping(
            EventSourceArn=source,
            FunctionName=function,
            StartingPosition="TRIM_HORIZON",
            DestinationConfig={"OnFailure": {"Destination": self.queue_arn()}},
            FunctionResponseTypes=["ReportBatchItemFailures"],
            Enabled=False,
            **mapping,
        )["UUID"]

    def create_table(self) -> str:
        table = self.cloud.client("dynamodb").create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        return str(table["TableDescription"]["LatestStreamArn"])

    def queue_arn(self) -> str:
        answer = self.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self.queue, AttributeNames=["QueueArn"]
        )
        return str(answer["Attributes"]["QueueArn"])

    def put(self, *keys: str) -> None:
        for key in keys:
            self.cloud.client("dynamodb").put_item(TableName=self.table, Item={"PK": {"S": key}})
        self.cloud.client("lambda").update_event_source_mapping(UUID=self.mapping, Enabled=True)

    def seen(self) -> list[str]:
        return self.notes.read_text().split() if self.notes.exists() else []

    def given_up(self) -> list[dict[str, Any]]:
        messages = self.cloud.client("sqs").receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10
        )
        return [json.loads(message["Body"]) for message in messages.get("Messages", [])]


def test_what_follows_a_failed_record_is_tried_again_and_never_lost(cloud: Cloud) -> None:
    stream = Stream(cloud, "report", MaximumRetryAttempts=1, BisectBatchOnFunctionError=True)
    stream.put("1", "2", "bad", "3", "4")

    eventually(lambda: len(stream.seen()) >= 4)

    assert stream.seen() == ["1", "2", "3", "4"]


def test_a_record_out_of_retries_is_described_to_the_destination(cloud: Cloud) -> None:
    stream = Stream(cloud, "report", MaximumRetryAttempts=1, BisectBatchOnFunctionError=True)
    stream.put("1", "bad", "2")

    (description,) = eventually(stream.given_up)

    assert description["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert description["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_raising_function_has_its_batch_split_around_the_bad_record(cloud: Cloud) -> None:
    stream = Stream(cloud, "raise", MaximumRetryAttempts=0, BisectBatchOnFunctionError=True)
    stream.put("1", "2", "bad", "3")

    (description,) = eventually(stream.given_up)
    eventually(lambda: set(stream.seen()) == {"1", "2", "3"})

    assert description["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_raising_function_that_may_not_split_loses_its_batch_to_the_destination(
    cloud: Cloud,
) -> None:
    stream = Stream(cloud, "raise", MaximumRetryAttempts=0)
    stream.put("bad", "1")

    (description,) = eventually(stream.given_up)

    assert description["DDBStreamBatchInfo"]["batchSize"] == 2
    assert stream.seen() == []


def test_without_a_limit_a_failed_record_blocks_the_stream_and_is_tried_again(
    cloud: Cloud,
) -> None:
    stream = Stream(cloud, "report")
    stream.put("1", "bad", "2")
    eventually(stream.seen)

    assert stream.seen() == ["1"]
    assert stream.given_up() == []
