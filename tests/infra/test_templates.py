import json
import subprocess
import sys
from pathlib import Path

from tests.infra.conftest import Assembly

WRITTEN_BY_CDK = ["W3005"]  # dependencies that are said twice
# Deadlines may be JSONata where the state machine's language is.
UNKNOWN_TO_CFN_LINT = ("'{% $states.input.seconds %}' is not of type 'number'",)


def test_cdk_nag_finds_nothing_that_we_have_not_answered_for(aws: Assembly) -> None:
    found = [
        (violation["ruleName"], construct["constructPath"])
        for violation in aws.violations
        for construct in violation["violatingConstructs"]
    ]

    assert found == []


def test_cfn_lint_finds_nothing(aws: Assembly) -> None:
    templates = [str(path) for path in sorted(aws.path.glob("*.template.json"))]
    command = [str(Path(sys.executable).parent / "cfn-lint"), "-f", "json", "-i", *WRITTEN_BY_CDK]
    done = subprocess.run([*command, "--", *templates], capture_output=True, check=False)

    found = [each["Message"] for each in json.loads(done.stdout)]
    assert [message for message in found if not message.startswith(UNKNOWN_TO_CFN_LINT)] == []


def test_the_embedded_cloud_gets_the_resources_that_aws_gets(
    aws: Assembly, local: Assembly
) -> None:
    def kinds(assembly: Assembly) -> dict[str, str]:
        # over plain HTTP, some would refuse everybody
        policies = {"AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"}
        unknown = {"AWS::Athena::NamedQuery"}  # what they ask is asked here of DuckDB
        return {
            without_digest(name): it["Type"]
            for name, it in assembly.resources.items()
            if it["Type"] not in policies | unknown
        }

    assert kinds(local) == kinds(aws)


def without_digest(logical_id: str) -> str:
    """Layer versions are named by their content."""
    return logical_id.rstrip("0123456789abcdef") if "Layers" in logical_id else logical_id


def test_no_template_is_more_than_cloudformation_takes(aws: Assembly) -> None:
    for path in aws.path.glob("*.template.json"):
        assert path.stat().st_size < 800_000
    for template in aws.templates.values():
        assert len(template["Resources"]) <= 400


def test_an_idle_month_costs_less_than_six_dollars(aws: Assembly) -> None:
    monthly = {"KMS::Key": 1.00, "SecretsManager::Secret": 0.40, "CloudWatch::Alarm": 0.10}

    idle = sum(price * len(aws.of_type(kind)) for kind, price in monthly.items())

    assert idle <= 6.00
