"""IAM on the embedded cloud lets a role do what AWS would let it do, and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.cloud import REGION, Cloud
from tests.cloud import bare_cloud

pytestmark = pytest.mark.cloud

SENDER = "orders@example.com"
MAIL = {
    "Destination": {"ToAddresses": ["ada@example.com"]},
    "Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with bare_cloud(auth=True) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def mailer(cloud: Cloud) -> Any:
    """A client that may send from one identity."""
    identity = f"arn:aws:ses:{REGION}:000000000000:identity/{SENDER}"
    statement = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": identity}
    users = cloud.client("iam")
    users.create_user(UserName="mailer")
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    users.put_user_policy(UserName="mailer", PolicyName="send", PolicyDocument=json.dumps(policy))
    for name in (SENDER, "other@example.com"):
        cloud.client("sesv2").create_email_identity(EmailIdentity=name)
    key = users.create_access_key(UserName="mailer")["AccessKey"]
    return boto3.client(
        "sesv2",
        region_name=REGION,
        endpoint_url=cloud.url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


@pytest.mark.parametrize("sender", [SENDER, f"Baton <{SENDER}>"])
def test_a_role_sends_from_the_identity_it_may_use(mailer: Any, sender: str) -> None:
    assert mailer.send_email(FromEmailAddress=sender, **MAIL)["MessageId"]


def test_a_role_does_not_send_from_another_identity(mailer: Any) -> None:
    with pytest.raises(ClientError, match="not authorized"):
        mailer.send_email(FromEmailAddress="other@example.com", **MAIL)
