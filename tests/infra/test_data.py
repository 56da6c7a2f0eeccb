import pytest

from infra.files import FORGOTTEN
from tests.infra.conftest import Assembly
from tests.tables import TABLES, schema

KEPT = {"DynamoDB::Table", "S3::Bucket", "KMS::Key", "SecretsManager::Secret", "Cognito::UserPool"}


def test_what_customers_gave_us_outlives_its_stack(aws: Assembly) -> None:
    for kind in KEPT:
        for resource in aws.of_type(kind).values():
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (
                "Retain",
                "Retain",
            )


def test_every_table_but_the_keys_can_be_restored_to_any_second_and_none_be_deleted(
    aws: Assembly,
) -> None:
    """A backup of the keys would bring back those of persons who were erased."""
    for name, table in aws.of_type("DynamoDB::Table").items():
        properties = table["Properties"]
        recovery = properties["PointInTimeRecoverySpecification"]
        assert recovery["PointInTimeRecoveryEnabled"] is not name.startswith("Keys")
        assert properties["DeletionProtectionEnabled"] is True
        assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_tables_and_secrets_are_encrypted_with_our_own_key_that_rotates(aws: Assembly) -> None:
    (key_id,) = aws.of_type("KMS::Key")
    key = {"Fn::GetAtt": [key_id, "Arn"]}
    for table in aws.of_type("DynamoDB::Table").values():
        assert table["Properties"]["SSESpecification"]["KMSMasterKeyId"] == key
    for secret in aws.of_type("SecretsManager::Secret").values():
        assert secret["Properties"]["KmsKeyId"] == key
    assert aws.resources[key_id]["Properties"]["EnableKeyRotation"] is True


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_declared_as_the_tests_of_the_adapters_have_it(aws: Assembly, kind: str) -> None:
    tables = aws.of_type("DynamoDB::Table")
    declared = next(
        it["Properties"] for name, it in tables.items() if name.lower().startswith(kind)
    )
    expected = schema(kind)

    assert declared["KeySchema"] == expected["KeySchema"]
    assert declared.get("GlobalSecondaryIndexes") == expected.get("GlobalSecondaryIndexes")
    assert names(declared["AttributeDefinitions"]) == names(expected["AttributeDefinitions"])
    assert ("StreamSpecification" in declared) == ("StreamSpecification" in expected)


def test_files_are_ours_alone_encrypted_and_gone_after_a_month(aws: Assembly) -> None:
    (bucket,) = aws.of_type("S3::Bucket").values()
    properties = bucket["Properties"]
    halves, *rules = properties["LifecycleConfiguration"]["Rules"]
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "KMSMasterKeyID" in encryption["ServerSideEncryptionByDefault"]
    assert {rule["Prefix"].rstrip("/") for rule in rules} == {*FORGOTTEN}
    assert all((rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 30) for rule in rules)
    assert halves["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1


def test_files_are_refused_to_whoever_speaks_without_tls(aws: Assembly) -> None:
    (policy,) = aws.of_type("S3::BucketPolicy").values()
    denied = [
        condition
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        for condition in statement["Condition"].values()
    ]

    assert {"aws:SecureTransport": "false"} in denied


def names(definitions: list[dict[str, str]]) -> set[str]:
    return {each["AttributeName"] for each in definitions}


def test_nobody_signs_up_by_himself(aws: Assembly) -> None:
    (pool,) = aws.of_type("Cognito::UserPool").values()

    assert pool["Properties"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["Properties"]["DeletionProtection"] == "ACTIVE"


def test_what_is_kept_is_in_no_stack_that_is_replaced(aws: Assembly) -> None:
    replaced = ("OmsService", "OmsOutside", "OmsPeople", "OmsInsight", "OmsApi")
    resources = (it for name in replaced for it in aws.templates[name]["Resources"].values())
    kinds = {it["Type"] for it in resources}

    assert set(aws.templates) == {"OmsData", *replaced}
    assert kinds.isdisjoint(f"AWS::{kind}" for kind in KEPT)
