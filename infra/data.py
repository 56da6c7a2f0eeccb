"""What outlives every deployment: tables, key, secret, event bus, who may call us."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ses as ses
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.files import Files
from infra.python_function import PythonFunction
from oms.adapters.person_keys import PURPOSE as RING
from oms.adapters.vault import PURPOSE
from oms.contracts.routes import RESOURCE_SERVER, SCOPES

STRING = dynamodb.AttributeType.STRING
WRITE = ("PutItem", "UpdateItem", "DeleteItem")
OF_PERSONS = frozenset({"contact", "draft", "inbox"})  # purposes of the key
CHANGE = ("GetItem", *WRITE)  # read an order, then write it with what happened to it


class Store(dynamodb.Table):
    """A table with `PK` and `SK`: encrypted, recoverable, kept when its stack goes."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        key: kms.Key,
        *,
        indexes: tuple[str, ...] = (),
        streamed: bool = False,
        expires: str | None = None,
        recoverable: bool = True,
    ) -> None:
        super().__init__(
            scope,
            name,
            partition_key=string("PK"),
            sort_key=string("SK"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=recoverable
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
            stream=dynamodb.StreamViewType.NEW_IMAGE if streamed else None,
            time_to_live_attribute=expires,
        )
        self.key = key
        for index in indexes:
            self.index(index)

    def index(self, name: str) -> None:
        self.add_global_secondary_index(
            index_name=name,
            partition_key=string(f"{name}PK"),
            sort_key=string("at"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )

    def permit(self, function: PythonFunction, *verbs: str, indexes: tuple[str, ...] = ()) -> None:
        """Let it do these things to rows, and query these indexes."""
        if verbs:
            function.permit([self.table_arn], *(f"dynamodb:{verb}" for verb in verbs))
        if indexes:
            found = [f"{self.table_arn}/index/{index}" for index in indexes]
            function.permit(found, "dynamodb:Query")
        self.permit_key(function, writes=not set(WRITE).isdisjoint(verbs))

    def permit_stream(self, function: PythonFunction) -> None:
        function.permit(
            [str(self.table_stream_arn)],
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        )
        self.permit_key(function, writes=False)

    def permit_key(self, function: PythonFunction, *, writes: bool) -> None:
        verbs = ["kms:Decrypt"]
        if writes:
            verbs += ["kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
            verbs += ["kms:ReEncryptFrom", "kms:ReEncryptTo"]
        function.permit([self.key.key_arn], *verbs, only_through="dynamodb")


class Secrets(secretsmanager.Secret):
    """One secret for all senders of webhooks, and the pepper that hides who is who.

    Only the pepper is made here. A sender whose secret nobody has put in is refused.
    """

    def __init__(self, scope: Construct, key: kms.Key) -> None:
        super().__init__(
            scope,
            "Secrets",
            description="Webhook secrets by sender; the pepper of customer ids",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",
                generate_string_key="pepper",
                password_length=64,
                exclude_punctuation=True,
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.key = key
        self.arn = cast(secretsmanager.CfnSecret, self.node.default_child).attr_id
        acknowledge(
            self,
            "SMG4",
            "The senders choose their secrets; a new pepper would make strangers of customers",
        )

    def permit(self, function: PythonFunction) -> None:
        function.permit([self.arn], "secretsmanager:GetSecretValue")
        function.permit([self.key.key_arn], "kms:Decrypt", only_through="secretsmanager")


class Callers(Construct):
    """Who may call the API: a user pool, its scopes, and one machine client."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Callers")
        self.pool = self.user_pool()
        self.scopes = self.resource_server()
        self.client = self.machine_client()
        self.domain = cognito.CfnUserPoolDomain(
            self,
            "Domain",
            user_pool_id=self.pool.user_pool_id,
            domain=f"oms-{Stack.of(self).account}",
        )

    @property
    def issuer(self) -> str:
        region = Stack.of(self).region
        return f"https://cognito-idp.{region}.amazonaws.com/{self.pool.user_pool_id}"

    @property
    def token_url(self) -> str:
        region = Stack.of(self).region
        return f"https://{self.domain.domain}.auth.{region}.amazoncognito.com/oauth2/token"

    def user_pool(self) -> cognito.UserPool:
        pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_symbols=True,
                require_uppercase=True,
            ),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            pool,
            "COG8",
            "The plus plan watches people's sign-ins; machines call this API",
        )
        return pool

    def resource_server(self) -> cognito.CfnUserPoolResourceServer:
        return cognito.CfnUserPoolResourceServer(
            self,
            "Scopes",
            user_pool_id=self.pool.user_pool_id,
            identifier=RESOURCE_SERVER,
            name=RESOURCE_SERVER,
            scopes=[
                cognito.CfnUserPoolResourceServer.ResourceServerScopeTypeProperty(
                    scope_name=name, scope_description=purpose
                )
                for name, purpose in SCOPES.items()
            ],
        )

    def machine_client(self) -> cognito.CfnUserPoolClient:
        client = cognito.CfnUserPoolClient(
            self,
            "Machine",
            user_pool_id=self.pool.user_pool_id,
            generate_secret=True,
            allowed_o_auth_flows_user_pool_client=True,
            allowed_o_auth_flows=["client_credentials"],
            allowed_o_auth_scopes=[f"{RESOURCE_SERVER}/{name}" for name in SCOPES],
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
            access_token_validity=60,
            token_validity_units=cognito.CfnUserPoolClient.TokenValidityUnitsProperty(
                access_token="minutes"
            ),
        )
        client.add_resource_dependency(self.scopes)
        return client


class Mails(Construct):
    """The address that customers hear from."""

    def __init__(self, scope: Construct, sender: str) -> None:
        super().__init__(scope, "Mails")
        self.sender = sender
        identity = ses.CfnEmailIdentity(self, "Sender", email_identity=sender)
        identity.apply_removal_policy(RemovalPolicy.RETAIN)

    def permit(self, function: PythonFunction, *, raw: bool = False) -> None:
        """The address, or its domain where that is what has been verified. `raw`: as mails that
        the function has put together itself."""
        stack, domain = Stack.of(self), self.sender.partition("@")[2]
        names = [self.sender, domain]
        function.permit(
            [stack.format_arn(service="ses", resource=f"identity/{name}") for name in names],
            *(["ses:SendEmail", "ses:SendRawEmail"] if raw else ["ses:SendEmail"]),
        )


class Data(Stack):
    def __init__(self, scope: Construct, name: str, sender: str) -> None:
        super().__init__(
            scope, name, description="Baton: what is kept", termination_protection=True
        )
        self.key = kms.Key(
            self,
            "Key",
            description="Baton: orders, stock, customers, secrets",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.orders = Store(
            self,
            "Orders",
            self.key,
            indexes=("GSI1", "GSI2", "GSI3"),
            streamed=True,
            expires="expires_at",
        )
        self.stock = Store(self, "Stock", self.key, streamed=True)
        self.customers = Store(self, "Customers", self.key, expires="expires_at")
        self.keys = Store(self, "Keys", self.key, recoverable=False)
        acknowledge(self.keys, "DDB3", "A backup would bring back the keys of erased persons")
        self.reports = Store(self, "Reports", self.key, expires="expires_at")
        self.jobs = Store(self, "Jobs", self.key, indexes=("GSI1",), expires="expires_at")
        self.channels = Store(self, "Channels", self.key, indexes=("GSI1",), expires="expires_at")
        self.files = Files(self, self.key)
        self.secrets = Secrets(self, self.key)
        self.callers = Callers(self)
        self.mails = Mails(self, sender)
        self.bus = events.EventBus(self, "Bus", event_bus_name=name)
        self.bus.apply_removal_policy(RemovalPolicy.RETAIN)
        self.publish()

    def permit_vault(
        self, function: PythonFunction, verb: str, purpose: Mapping[str, str] = PURPOSE
    ) -> None:
        """The key, for contacts only, or for drafts; and the keys of persons, of which who seals
        plants the first. What names nobody is sealed without those."""
        self._permit_key(function, [verb], purpose)
        if purpose["purpose"] not in OF_PERSONS:
            return
        function.add_environment("KEYS_TABLE", self.keys.table_name)
        seals = verb == "kms:GenerateDataKey"
        self.keys.permit(function, "GetItem", *(["PutItem"] if seals else []))
        self._permit_key(function, ["kms:Decrypt", *([verb] if seals else [])], RING)

    def _permit_key(
        self, function: PythonFunction, verbs: list[str], purpose: Mapping[str, str]
    ) -> None:
        """The embedded cloud knows no encryption contexts in policies, and would refuse all."""
        context = {f"kms:EncryptionContext:{name}": value for name, value in purpose.items()}
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=verbs,
                resources=[self.key.key_arn],
                conditions=None if function.target.is_local else {"StringEquals": context},
            )
        )

    def publish(self) -> None:
        outputs = {
            "OrdersTable": self.orders.table_name,
            "StockTable": self.stock.table_name,
            "CustomersTable": self.customers.table_name,
            "KeysTable": self.keys.table_name,
            "ReportsTable": self.reports.table_name,
            "JobsTable": self.jobs.table_name,
            "ChannelsTable": self.channels.table_name,
            "FilesBucket": self.files.bucket_name,
            "EventBus": self.bus.event_bus_name,
            "SecretArn": self.secrets.arn,
            "VaultKeyId": self.key.key_id,
            "UserPoolId": self.callers.pool.user_pool_id,
            "ClientId": self.callers.client.ref,
            "TokenUrl": self.callers.token_url,
            "SenderEmail": self.mails.sender,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


def string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=STRING)
