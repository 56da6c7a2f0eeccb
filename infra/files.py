"""Files of long jobs: what is uploaded to be loaded, what they make; gone after a month. And the
archive of events, which stays."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.bundling import Target
from infra.python_function import PythonFunction

KEEP = Duration.days(30)
FORGET_HALVES = Duration.days(1)
# All folders but `events`, `lake`, and `retained`, whose files go when the law lets them.
FORGOTTEN = ("answers", "documents", "drops", "exports", "imports", "jobs", "labels", "mail")
ARN = "OmsData:ExportsOutputFnGetAttFiles8E6940B8ArnD8EE6C03"  # as the other stack imports it


class Files(s3.Bucket):
    """Over TLS only; the embedded cloud speaks plain HTTP, to this machine alone."""

    def __init__(self, scope: Construct, key: kms.Key) -> None:
        is_local = Target(scope.node.get_context("target")).is_local
        super().__init__(
            scope,
            "Files",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=not is_local,
            minimum_tls_version=None if is_local else 1.2,
            lifecycle_rules=forgetting(),
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.key = key
        acknowledge(self, "S1", "Who asked for a link is logged by the API; files live for a month")

    def permit(self, function: PythonFunction, *verbs: str, folders: Sequence[str]) -> None:
        """Let it do these things to files in these folders, and know that one is missing."""
        objects = [self.arn_for_objects(f"{folder}/*") for folder in folders]
        function.permit(objects, *(f"s3:{verb}" for verb in verbs))
        function.permit([self.bucket_arn], "s3:ListBucket")
        writes = ["kms:GenerateDataKey"] if "PutObject" in verbs else []
        function.permit([self.key.key_arn], "kms:Decrypt", *writes, only_through="s3")
        for folder in folders:
            acknowledge(
                function.role or function,
                f"IAM5[Resource::{ARN}/{folder}/*]",
                "The files of one folder; their names are ids of jobs",
            )


def forgetting() -> list[s3.LifecycleRule]:
    halves = s3.LifecycleRule(
        id="ForgetHalves", abort_incomplete_multipart_upload_after=FORGET_HALVES
    )
    whole = [
        s3.LifecycleRule(id=f"Forget-{folder}", prefix=f"{folder}/", expiration=KEEP)
        for folder in FORGOTTEN
    ]
    return [halves, *whole]
