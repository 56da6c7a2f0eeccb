"""What a role may do is said verb by verb and resource by resource."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from oms.adapters.channel_inbox import PURPOSE as INBOX_PURPOSE
from oms.adapters.drafts_table import PURPOSE as DRAFT_PURPOSE
from oms.adapters.person_keys import PURPOSE as RING_PURPOSE
from oms.adapters.subscriber_secrets import PURPOSE as WEBHOOK_PURPOSE
from oms.adapters.vault import PURPOSE
from tests.infra.conftest import Assembly

KNOWS_NO_RESOURCES = {
    "states:SendTaskSuccess": "the token itself is the secret",
    "sns:Publish": "a text message goes to a number, which is no resource",
    "cloudwatch:GetMetricData": "it reads counts",
    "logs:CreateLogDelivery": "deliveries of logs belong to no resource",
    "logs:DeleteLogDelivery": "",
    "logs:DescribeLogGroups": "",
    "logs:DescribeResourcePolicies": "",
    "logs:GetLogDelivery": "",
    "logs:ListLogDeliveries": "",
    "logs:PutResourcePolicy": "",
    "logs:UpdateLogDelivery": "",
}
CONTACTS = {"StringEquals": {f"kms:EncryptionContext:{k}": v for k, v in PURPOSE.items()}}
INBOX = {"StringEquals": {f"kms:EncryptionContext:{k}": v for k, v in INBOX_PURPOSE.items()}}
DRAFTS = {"StringEquals": {f"kms:EncryptionContext:{k}": v for k, v in DRAFT_PURPOSE.items()}}
RING = {"StringEquals": {f"kms:EncryptionContext:{k}": v for k, v in RING_PURPOSE.items()}}
WEBHOOKS = {"StringEquals": {f"kms:EncryptionContext:{k}": v for k, v in WEBHOOK_PURPOSE.items()}}
SEALED = (CONTACTS, DRAFTS, INBOX, RING, WEBHOOKS)
SHOPS_SPEAK = {"ReceiveChannelOrder", "WorkInbox", "TakeNotifications", "PollShops"}
EXECUTIONS = (":execution:OmsService-Order:*", ":execution:OmsService-Return:*")
KEPT_FILES = ("documents", "drops", "events", "exports", "imports", "jobs", "labels")
FOLDERS = tuple(f"/{folder}/*" for folder in (*KEPT_FILES, "lake", "mail", "retained"))
PRIVACY = {"PrivacyApi", "TendPrivacy"}  # they find and erase a person everywhere


def statements(assembly: Assembly) -> Iterator[dict[str, Any]]:
    for policy in assembly.of_type("IAM::Policy").values():
        yield from policy["Properties"]["PolicyDocument"]["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_verb_is_a_pattern(aws: Assembly) -> None:
    for statement in statements(aws):
        assert not [verb for verb in as_list(statement["Action"]) if "*" in verb]


def test_no_resource_is_a_pattern_where_aws_knows_better(aws: Assembly) -> None:
    for statement in statements(aws):
        verbs = set(as_list(statement["Action"]))
        for resource in as_list(statement["Resource"]):
            if "*" in without_names(json.dumps(resource)):
                assert resource == "*"
                assert verbs <= KNOWS_NO_RESOURCES.keys()


def without_names(resource: str) -> str:
    """What is left of it when the names of our executions and files are taken out."""
    for names in (*EXECUTIONS, *FOLDERS):
        resource = resource.replace(names, "")
    return resource


def test_few_touch_files_and_only_what_names_customers_is_deleted(aws: Assembly) -> None:
    touching = {
        name: {verb for verb in verbs_of(aws, name) if verb.startswith("s3:")}
        for name in aws.functions
    }

    assert {name: verbs for name, verbs in touching.items() if verbs} == {
        "BulkApi": {"s3:GetObject", "s3:PutObject", "s3:ListBucket"},
        "CollectEvents": {"s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket"},
        "FollowCustomers": {"s3:GetObject", "s3:ListBucket"},
        "InvoicesApi": {"s3:GetObject", "s3:PutObject", "s3:ListBucket"},
        "IssueDocuments": {"s3:GetObject", "s3:PutObject", "s3:ListBucket"},
        "IssueReturnLabel": {"s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket"},
        "KeepBooks": {"s3:GetObject", "s3:ListBucket"},
        "LabelsApi": {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket"},
        "LearnProfiles": {"s3:GetObject", "s3:ListBucket"},
        "ProjectEvents": {"s3:GetObject", "s3:ListBucket"},
        "ReconciliationApi": {"s3:GetObject", "s3:PutObject", "s3:ListBucket"},
        "PrivacyApi": {"s3:DeleteObject", "s3:GetObject", "s3:PutObject", "s3:ListBucket"},
        "ReturnsApi": {"s3:GetObject", "s3:ListBucket"},
        "SendDeliveries": {"s3:GetObject", "s3:ListBucket"},
        "TakeDrops": {"s3:GetObject", "s3:ListBucket"},
        "TakeMail": {"s3:GetObject", "s3:DeleteObject", "s3:ListBucket"},
        "TendPrivacy": {"s3:DeleteObject", "s3:GetObject", "s3:PutObject", "s3:ListBucket"},
        "TrackingPage": {"s3:GetObject", "s3:ListBucket"},
        "WorkJob": {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket"},
        "WriteLake": {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket"},
    }


def test_no_role_has_a_policy_that_somebody_else_maintains(aws: Assembly) -> None:
    for role in aws.of_type("IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_only_who_takes_or_changes_an_address_wraps_a_contact_and_few_open_one(
    aws: Assembly,
) -> None:
    wraps, opens = set(), set()
    for name in aws.functions:
        vault = verbs(it for it in granted_by_role(aws, name) if it.get("Condition") == CONTACTS)
        wraps |= {name} if "kms:GenerateDataKey" in vault else set()
        opens |= {name} if "kms:Decrypt" in vault else set()

    taking = {"CaptureApi", "DraftsApi", "EditsApi", "ChannelsApi", *SHOPS_SPEAK}
    profiles = {"CustomersApi", "LearnProfiles"}
    asking = {"ServiceApi", "TakeMail"}  # what is written in inquiries is sealed as contacts are
    others = {"TrackingPage", "PlaceExchange", "WorkJob", *PRIVACY}
    assert wraps == {*taking, *profiles, *asking, *others}
    printing = {"InvoicesApi", "IssueDocuments", "IssueReturnLabel", "LabelsApi"}
    telling = {"NotificationsApi", "NotifyCustomer", "SendAnswer", "SendWaiting"}
    following = {"FollowCustomers", "WorkJob"}  # segments ask profiles for tags and consents
    named = {"EditsApi", "PlaceExchange", *following}
    assert opens == {*named, *telling, *printing, *profiles, *asking, *PRIVACY}


def test_the_key_is_used_for_contacts_or_through_a_service_and_for_nothing_else(
    aws: Assembly,
) -> None:
    for statement in statements(aws):
        if any(verb.startswith("kms:") for verb in as_list(statement["Action"])):
            ((name, _),) = statement["Condition"]["StringEquals"].items()
            assert name == "kms:ViaService" or statement["Condition"] in SEALED


def test_only_who_takes_drafts_down_reads_them(aws: Assembly) -> None:
    readers = {
        name
        for name in aws.functions
        if any(it.get("Condition") == DRAFTS for it in granted_by_role(aws, name))
    }

    assert readers == {"DraftsApi", *PRIVACY}


def test_who_keeps_what_shops_said_cannot_read_it_again(aws: Assembly) -> None:
    def may(verb: str) -> set[str]:
        given = {
            name: verbs(it for it in granted_by_role(aws, name) if it.get("Condition") == INBOX)
            for name in aws.functions
        }
        return {name for name, found in given.items() if verb in found}

    assert may("kms:GenerateDataKey") == {*SHOPS_SPEAK, "ChannelsApi"}
    assert may("kms:Decrypt") == {"ChannelsApi", *PRIVACY}


def test_who_destroys_keys_of_persons_is_one_room_and_who_seals_plants_the_first(
    aws: Assembly,
) -> None:
    def may(verb: str) -> set[str]:
        given = {
            name: verbs(it for it in granted_by_role(aws, name) if it.get("Condition") == RING)
            for name in aws.functions
        }
        return {name for name, found in given.items() if verb in found}

    assert PRIVACY <= may("kms:GenerateDataKey") < may("kms:Decrypt")
    assert "NotifyCustomer" not in may("kms:GenerateDataKey")
    assert {"PublishEvents", "RouteOrder", "SendDeliveries"}.isdisjoint(may("kms:Decrypt"))


def test_only_who_signs_opens_the_secrets_of_subscribers_and_one_makes_them(
    aws: Assembly,
) -> None:
    def may(verb: str) -> set[str]:
        given = {
            name: verbs(it for it in granted_by_role(aws, name) if it.get("Condition") == WEBHOOKS)
            for name in aws.functions
        }
        return {name for name, found in given.items() if verb in found}

    assert may("kms:GenerateDataKey") == {"SubscribersApi"}
    assert may("kms:Decrypt") == {"SendDeliveries", "SubscribersApi"}


def test_only_the_outbox_and_its_auditor_publish_and_start_orders_with_the_repair_crew(
    aws: Assembly,
) -> None:
    publish = {name for name in aws.functions if "events:PutEvents" in verbs_of(aws, name)}
    start = {name for name in aws.functions if "states:StartExecution" in verbs_of(aws, name)}

    assert publish == {"BooksApi", "PublishEvents"}
    assert start == {"BooksApi", "PublishEvents", "OpsApi", "ReconcileOrders"}


def test_who_tells_waiting_orders_may_wake_them(aws: Assembly) -> None:
    wake = {name for name in aws.functions if "states:SendTaskSuccess" in verbs_of(aws, name)}

    assert wake == {"PublishEvents", "AwaitOutcome", "AwaitReturn", "ReconcileOrders"}


def test_a_workflow_may_call_its_steps_and_nothing_else(aws: Assembly) -> None:
    machines = aws.of_type("StepFunctions::StateMachine").values()
    called = {
        machine["Properties"]["StateMachineName"]: {
            verb
            for verb in verbs(granted_to(aws, machine["Properties"]["RoleArn"]))
            if not verb.startswith("logs:")
        }
        for machine in machines
    }

    assert called == {
        "OmsService-Order": {"lambda:InvokeFunction", "states:StartSyncExecution"},
        "OmsService-Prepare": {"lambda:InvokeFunction"},
        "OmsService-Cancel": {"lambda:InvokeFunction"},
        "OmsService-Return": {"lambda:InvokeFunction", "states:StartSyncExecution"},
        "OmsService-Settle": {"lambda:InvokeFunction"},
    }


def verbs_of(assembly: Assembly, function: str) -> set[str]:
    return verbs(granted_by_role(assembly, function))


def granted_by_role(assembly: Assembly, function: str) -> Iterator[dict[str, Any]]:
    return granted_to(assembly, assembly.functions[function]["Properties"]["Role"])


def granted_to(assembly: Assembly, role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in assembly.of_type("IAM::Policy").values():
        if {"Ref": role["Fn::GetAtt"][0]} in policy["Properties"]["Roles"]:
            yield from policy["Properties"]["PolicyDocument"]["Statement"]


def verbs(granted: Iterable[dict[str, Any]]) -> set[str]:
    return {verb for statement in granted for verb in as_list(statement["Action"])}
