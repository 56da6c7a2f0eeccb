"""Who read what of whom, over a table of the embedded cloud."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.access_log import AccessLog, LoggedContacts, Read
from oms.contracts.cursors import BadCursor, encode_cursor
from oms.domain.contact import Contact
from oms.domain.privacy import PrivacyPolicy
from tests.tables import create_table

pytestmark = pytest.mark.cloud
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def log(dynamodb: Any) -> AccessLog:
    return log_of(dynamodb, create_table(dynamodb, "customers", f"customers-{uuid4().hex[:12]}"))


def log_of(client: Any, table: str) -> AccessLog:
    return AccessLog(client, table, lambda: PrivacyPolicy(access_log_days=10))


class Known:
    def contact(self, customer_id: str, order_id: str) -> Contact | None:
        return Contact("a@b.c") if order_id == "ord_1" else None


def test_reads_at_one_moment_are_all_in_the_log(log: AccessLog) -> None:
    for number in range(5):
        log.read(f"user:{number}", "cus_ada", "profile", "service", AT)
    log.read("user:9", "cus_bob", "profile", "service", AT)

    found = log.page("cus_ada").reads

    assert {read.actor for read in found} == {f"user:{number}" for number in range(5)}
    assert found[0] == Read(found[0].actor, "profile", "service", AT)


def test_a_read_goes_when_the_policy_says(log: AccessLog, dynamodb: Any) -> None:
    log.read("user:1", "cus_ada", "profile", "service", AT)

    (row,) = dynamodb.scan(TableName=log._table)["Items"]
    assert db.number(row, "expires_at") == int((AT + timedelta(days=10)).timestamp())


def test_whoever_opens_a_contact_is_in_the_log_and_who_found_none_is_not(log: AccessLog) -> None:
    logged = LoggedContacts(Known(), log, "user:1", "label", lambda: AT)

    assert logged.contact("cus_ada", "ord_1") == Contact("a@b.c")
    assert logged.contact("cus_ada", "ord_2") is None
    assert log.page("cus_ada").reads == (Read("user:1", "contact of ord_1", "label", AT),)


def test_what_cannot_be_logged_is_not_read(dynamodb: Any) -> None:
    logged = LoggedContacts(Known(), log_of(dynamodb, "no-table"), "user:1", "label", lambda: AT)

    with pytest.raises(ClientError):
        logged.contact("cus_ada", "ord_1")


def test_a_cursor_of_another_list_is_refused(log: AccessLog) -> None:
    with pytest.raises(BadCursor):
        log.page("cus_ada", cursor="eyJQSyI6IngifQ")


def test_a_cursor_that_is_too_long_for_a_key_is_refused(log: AccessLog) -> None:
    with pytest.raises(BadCursor):
        log.page("cus_ada", cursor=encode_cursor({"read": "READ#" + "x" * 1_100}))
