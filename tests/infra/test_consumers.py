"""Whatever nobody waits for has a queue for its failures, and an alarm on that queue."""

import json
from dataclasses import fields
from typing import Any

from functions.subscribers.send_deliveries import LEASE
from oms.contracts.events import CATALOGUE
from tests.infra.conftest import Assembly


def queue_of(reference: dict[str, Any]) -> str:
    return str(reference["Fn::GetAtt"][0])


def dead_letter_queues(assembly: Assembly) -> set[str]:
    return {name for name in assembly.of_type("SQS::Queue") if "DeadLetters" in name}


def test_every_target_of_a_rule_has_a_queue_for_what_cannot_be_delivered(aws: Assembly) -> None:
    for rule in aws.of_type("Events::Rule").values():
        for target in rule["Properties"]["Targets"]:
            assert queue_of(target["DeadLetterConfig"]["Arn"]) in dead_letter_queues(aws)
            assert target["RetryPolicy"]["MaximumRetryAttempts"] >= 2


def test_every_function_that_a_rule_calls_has_a_queue_for_what_it_fails_on(aws: Assembly) -> None:
    called = {
        target["Arn"]["Fn::GetAtt"][0]
        for rule in aws.of_type("Events::Rule").values()
        for target in rule["Properties"]["Targets"]
        if aws.resources[target["Arn"]["Fn::GetAtt"][0]]["Type"] == "AWS::Lambda::Function"
    }
    caught = {
        config["Properties"]["FunctionName"]["Ref"]: queue_of(
            config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]
        )
        for config in aws.of_type("Lambda::EventInvokeConfig").values()
    }

    told = {
        subscription["Properties"]["Endpoint"]["Fn::GetAtt"][0]
        for subscription in aws.of_type("SNS::Subscription").values()
        if subscription["Properties"]["Protocol"] == "lambda"
    }
    # Where a deployment takes mails, the mail service calls it.
    mailed = {name for name in aws.of_type("Lambda::Function") if "TakeMail" in name}
    assert caught.keys() == called | told | mailed
    assert set(caught.values()) <= dead_letter_queues(aws)


def test_streams_are_read_again_from_the_row_that_failed_and_given_up_one_day(
    aws: Assembly,
) -> None:
    readers = [
        mapping["Properties"]
        for mapping in aws.of_type("Lambda::EventSourceMapping").values()
        if "StartingPosition" in mapping["Properties"]
    ]

    assert len(readers) == 4  # the outbox of two tables, the watched levels, what shops are told
    for reader in readers:
        assert reader["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert reader["BisectBatchOnFunctionError"] is True
        assert reader["MaximumRetryAttempts"] > 0
        assert 60 <= reader["MaximumRecordAgeInSeconds"] < 24 * 3600
        given_up = queue_of(reader["DestinationConfig"]["OnFailure"]["Destination"])
        assert given_up in dead_letter_queues(aws)


def patterns_of(aws: Assembly, function: str) -> list[Any]:
    """Of each of its streams, in one list."""
    return [
        json.loads(criteria["Pattern"])
        for mapping in aws.of_type("Lambda::EventSourceMapping").values()
        if aws.resources[mapping["Properties"]["FunctionName"]["Ref"]] == aws.functions[function]
        for criteria in mapping["Properties"].get("FilterCriteria", {}).get("Filters", [])
    ]


def test_only_rows_that_are_added_to_the_outbox_wake_the_publisher(aws: Assembly) -> None:
    added = {
        "Keys": {"SK": {"S": [{"prefix": "EVENT#"}]}},
        "NewImage": {"publish": {"BOOL": [True]}},
    }
    assert patterns_of(aws, "PublishEvents") == [{"eventName": ["INSERT"], "dynamodb": added}] * 2


def test_only_new_levels_watched_ones_and_changed_items_wake_the_watcher(aws: Assembly) -> None:
    levels = {"SK": {"S": [{"prefix": "LEVEL#"}]}}
    changed = {"eventName": ["INSERT", "MODIFY"]}
    number = {"N": [{"exists": True}]}

    assert patterns_of(aws, "WatchStock") == [
        {"eventName": ["INSERT"], "dynamodb": {"Keys": levels}},
        changed | {"dynamodb": {"Keys": levels, "NewImage": {"watch": number}}},
        changed | {"dynamodb": {"Keys": {"SK": {"S": ["ITEM"]}}, "NewImage": {"version": number}}},
    ]


def test_changes_of_stock_are_gathered_before_shops_are_told(aws: Assembly) -> None:
    levels, items = patterns_of(aws, "QueueStock")
    (mapping,) = (
        it["Properties"] for it in aws.of_type("Lambda::EventSourceMapping").values()
        if aws.resources[it["Properties"]["FunctionName"]["Ref"]] == aws.functions["QueueStock"]
    )  # fmt: skip

    assert levels["dynamodb"] == {"Keys": {"SK": {"S": [{"prefix": "LEVEL#"}]}}}
    assert items["dynamodb"]["Keys"] == {"SK": {"S": ["ITEM"]}}
    assert mapping["MaximumBatchingWindowInSeconds"] == 10
    assert "Enabled" not in mapping


def test_a_shop_is_named_in_a_message_of_its_own_until_somebody_looks_at_it(
    aws: Assembly,
) -> None:
    queue, drain, patience = drained(aws, "SendToShops")

    assert queue_of(queue["RedrivePolicy"]["deadLetterTargetArn"]) in dead_letter_queues(aws)
    assert queue["VisibilityTimeout"] > patience
    assert drain["BatchSize"] == 1


def drained(aws: Assembly, function: str) -> tuple[dict[str, Any], dict[str, Any], int]:
    """The queue before a function, how it is drained, and how long the function has."""
    found = aws.functions[function]
    (drain,) = (
        it["Properties"] for it in aws.of_type("Lambda::EventSourceMapping").values()
        if aws.resources[it["Properties"]["FunctionName"]["Ref"]] == found
    )  # fmt: skip
    queue = aws.resources[queue_of(drain["EventSourceArn"])]["Properties"]
    return queue, drain, found["Properties"]["Timeout"]


def test_every_event_waits_for_the_archive_long_enough_to_put_right_whatever_is_wrong(
    aws: Assembly,
) -> None:
    ours = [{"prefix": "oms."}]
    (rule,) = (
        each["Properties"] for each in aws.of_type("Events::Rule").values()
        if each["Properties"].get("EventPattern") == {"source": ours}
        and "Name" not in each["Properties"]
    )  # fmt: skip
    (target,) = rule["Targets"]
    queue = aws.resources[queue_of(target["Arn"])]["Properties"]

    assert queue_of(queue["RedrivePolicy"]["deadLetterTargetArn"]) in dead_letter_queues(aws)
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 100
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["VisibilityTimeout"] > aws.functions["CollectEvents"]["Properties"]["Timeout"]


def test_slices_of_jobs_are_worked_on_one_by_one_and_given_up_one_day(aws: Assembly) -> None:
    queue, drain, patience = drained(aws, "WorkJob")

    assert queue_of(queue["RedrivePolicy"]["deadLetterTargetArn"]) in dead_letter_queues(aws)
    assert queue["VisibilityTimeout"] > patience
    assert drain["BatchSize"] == 1
    assert 2 <= drain["ScalingConfig"]["MaximumConcurrency"] <= 50


def test_what_shops_say_to_queues_is_given_up_one_day_and_each_message_for_itself(
    aws: Assembly,
) -> None:
    for function in ("WorkInbox", "TakeNotifications"):
        queue, drain, patience = drained(aws, function)

        assert queue_of(queue["RedrivePolicy"]["deadLetterTargetArn"]) in dead_letter_queues(aws)
        assert queue["VisibilityTimeout"] >= 6 * patience
        assert drain["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert drain["ScalingConfig"]["MaximumConcurrency"] <= 10


def test_every_queue_of_failures_raises_an_alarm(aws: Assembly) -> None:
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in aws.of_type("CloudWatch::Alarm").values()
        for dimension in alarm["Properties"].get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }

    assert watched == dead_letter_queues(aws)


def test_every_alarm_tells_somebody_and_says_what_is_wrong(aws: Assembly) -> None:
    for alarm in aws.of_type("CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"]
        assert alarm["Properties"]["AlarmDescription"]


def test_failures_are_kept_for_two_weeks_and_encrypted(aws: Assembly) -> None:
    for name in dead_letter_queues(aws):
        properties = aws.resources[name]["Properties"]
        assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert properties["SqsManagedSseEnabled"] is True


def test_every_event_that_somebody_waits_for_is_published(aws: Assembly) -> None:
    for rule in aws.of_type("Events::Rule").values():
        awaited = rule["Properties"].get("EventPattern", {}).get("detail-type", [])
        assert set(awaited) <= CATALOGUE.keys()
    assert all(published.source.startswith("oms.") for published in CATALOGUE.values())


def test_the_money_of_whatever_is_handed_over_is_taken(aws: Assembly) -> None:
    """Events that say what to capture, however the customer came by the goods."""
    saying = {
        name
        for name, published in CATALOGUE.items()
        if any(field.name == "capture" for field in fields(published.type))
    }
    rules = [rule["Properties"] for rule in aws.of_type("Events::Rule").values()]
    (told,) = (it for it in rules if it.get("Description", "").endswith("→ CapturePayment"))

    assert set(told["EventPattern"]["detail-type"]) == saying


def test_while_nobody_subscribes_nothing_runs_for_an_event_and_none_is_lost_by_a_deployment(
    aws: Assembly,
) -> None:
    """The mapping is deployed disabled, the rule enabled: who looks each minute sets both right."""
    (rule,) = (
        it["Properties"]
        for it in aws.of_type("Events::Rule").values()
        if it["Properties"].get("Name") == "OmsPeople-SubscriberEvents"
    )
    queue, drain, patience = drained(aws, "QueueDeliveries")

    assert rule["State"] == "ENABLED"
    assert drain["Enabled"] is False
    assert drain["MaximumBatchingWindowInSeconds"] == 5
    assert drain["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["VisibilityTimeout"] >= 6 * patience
    assert queue_of(queue["RedrivePolicy"]["deadLetterTargetArn"]) in dead_letter_queues(aws)


def test_a_subscriber_is_named_in_a_message_of_its_own_until_its_worker_is_surely_gone(
    aws: Assembly,
) -> None:
    queue, drain, patience = drained(aws, "SendDeliveries")

    assert drain["BatchSize"] == 1
    assert drain["ScalingConfig"] == {"MaximumConcurrency": 8}
    assert queue["VisibilityTimeout"] >= LEASE.total_seconds() > patience
