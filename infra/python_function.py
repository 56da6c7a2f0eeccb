"""The only way to declare a Lambda, and the layers that it loads."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.bundling import VENDOR, Asset, Target, code_of, own_layer, package_layer

RUNTIME = lambda_.Runtime.PYTHON_3_13
KEEP_LOGS = logs.RetentionDays.TWO_WEEKS


class Layers(Construct):
    """For every function, `oms`: our own code, and `vendor`: what we install from others, built
    for the target. Packages that a few functions need are `packages`, a layer for each purpose.
    """

    def __init__(self, scope: Construct, target: Target) -> None:
        super().__init__(scope, "Layers")
        self.target = target
        self.versions = [
            self.layer("Oms", own_layer(target)),
            self.layer("Vendor", package_layer(VENDOR, target)),
        ]

    def packages(self, purpose: str) -> lambda_.ILayerVersion:
        """Of `layers/<purpose>/requirements.txt`: add it to a function by `add_layers`."""
        name = purpose.capitalize()
        known = self.node.try_find_child(name)
        if known is None:
            return self.layer(name, package_layer(purpose, self.target))
        return cast(lambda_.LayerVersion, known)

    def layer(self, name: str, asset: Asset) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(self, name, code=packed(asset), compatible_runtimes=[RUNTIME])


class PythonFunction(lambda_.Function):
    """`<capability>/<stem>` of `functions/`, with a role and a log of its own."""

    def __init__(
        self,
        scope: Construct,
        function_id: str,
        path: str,
        layers: Layers,
        environment: Mapping[str, str],
        *,
        timeout: int = 15,
        memory: int = 256,
    ) -> None:
        capability, stem = path.split("/")
        name = f"{Stack.of(scope).stack_name}-{function_id}"
        role = iam.Role(
            scope,
            f"{function_id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {capability}/{stem} may do",
        )
        log = log_of(scope, function_id, f"/aws/lambda/{name}")
        super().__init__(
            scope,
            function_id,
            function_name=name,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"functions.{capability}.{stem}.handler",
            code=packed(code_of(capability, layers.target)),
            layers=layers.versions,
            environment={**environment, "POWERTOOLS_SERVICE_NAME": capability},
            timeout=Duration.seconds(timeout),
            memory_size=memory,
            role=role,
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
        )
        self.target = layers.target
        self.known_as = name
        self.permit([log.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents")

    @property
    def arn_by_name(self) -> str:
        """For another stack: it refers to nothing of this one."""
        return Stack.of(self).format_arn(
            service="lambda",
            resource="function",
            resource_name=self.known_as,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def permit(
        self,
        resources: list[str],
        *actions: str,
        only_through: str | None = None,
    ) -> None:
        """Exact verbs on exact resources; `only_through` names the service that uses a key."""
        self.add_to_role_policy(
            iam.PolicyStatement(
                actions=list(actions),
                resources=resources,
                conditions=through(Stack.of(self), only_through) if only_through else None,
            )
        )

    def permit_resuming(self) -> None:
        """Answer a waiting step by its token: the one verb that AWS limits to no resource."""
        self.permit(["*"], "states:SendTaskSuccess")
        acknowledge(
            self.role or self,
            "IAM5[Resource::*]",
            "SendTaskSuccess knows no resources; the token itself is the secret",
        )


def through(stack: Stack, service: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.amazonaws.com"}}


def packed(asset: Asset) -> lambda_.AssetCode:
    return lambda_.Code.from_asset(str(asset.path), asset_hash=asset.digest)


def log_of(scope: Construct, owner: str, name: str) -> logs.LogGroup:
    return logs.LogGroup(
        scope,
        f"{owner}Log",
        log_group_name=name,
        retention=KEEP_LOGS,
        removal_policy=RemovalPolicy.DESTROY,
    )
