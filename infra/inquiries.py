"""What customers ask: the API of who answers them, the mails that come in and those that go out."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ses as ses
from constructs import Construct

from infra.consumers import Subscription
from infra.data import CHANGE, Data
from infra.notifications import pages
from infra.python_function import Layers, PythonFunction

FOLDER = "mail"
MAIL_SERVICE = "ses.amazonaws.com"


class Inquiries(Construct):
    """`serviceMail`: the address, or the domain, that customers write to; without it no mail is
    taken. The embedded cloud receives none: there the function is given a mail that is stored."""

    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Inquiries")
        self.data, self.layers = data, layers
        reports = {"REPORTS_TABLE": data.reports.table_name}
        secret = {"SECRET_ID": data.secrets.arn}
        sender = {"SENDER_EMAIL": data.mails.sender}
        bucket = {"FILES_BUCKET": data.files.bucket_name}
        tracking = {"TRACKING_PAGES": pages(self, "trackingPages")}
        self.api = self.function("ServiceApi", "service/api", reports | secret | tracking)
        self.answers = self.function("SendAnswer", "service/send_answer", reports | sender)
        self.mails = self.function("TakeMail", "service/take_mail", secret | sender | bucket)
        self.permit()
        first = Subscription(self.answers, data, ["InquiryAnswered"]).dead_letters
        first.take_failed_invocations(self.mails)
        self.dead_letters = [first]
        address = self.node.try_get_context("serviceMail")
        if address and not layers.target.is_local:
            self.receive(address)

    def function(self, name: str, path: str, more: dict[str, str]) -> PythonFunction:
        environment = {
            "ORDERS_TABLE": self.data.orders.table_name,
            "STOCK_TABLE": self.data.stock.table_name,
            "CUSTOMERS_TABLE": self.data.customers.table_name,
            "VAULT_KEY_ID": self.data.key.key_id,
            **more,
        }
        return PythonFunction(self, name, path, self.layers, environment, timeout=29)

    def permit(self) -> None:
        data = self.data
        reads = ("BatchGetItem", "Query")
        data.orders.permit(self.api, *CHANGE, *reads, indexes=("GSI1", "GSI2", "GSI3"))
        data.orders.permit(self.mails, *CHANGE, *reads, indexes=("GSI1",))
        data.orders.permit(self.answers, "GetItem")
        data.stock.permit(self.api, *CHANGE, "BatchGetItem")
        data.stock.permit(self.mails, "PutItem", "DeleteItem")
        for function in (self.api, self.mails):
            data.customers.permit(function, "GetItem", "PutItem", "Query")
            data.permit_vault(function, "kms:GenerateDataKey")
            data.secrets.permit(function)
        data.customers.permit(self.answers, "GetItem")
        for function in (self.api, self.mails, self.answers):
            data.permit_vault(function, "kms:Decrypt")
        data.reports.permit(self.api, "Query")
        data.reports.permit(self.answers, "PutItem", "DeleteItem")
        data.mails.permit(self.answers)
        data.files.permit(self.mails, "GetObject", "DeleteObject", folders=[FOLDER])

    def receive(self, address: str) -> None:
        """A person makes the rule set the active one: an account has one."""
        let_store_mail(self.data)
        name = f"{Stack.of(self).stack_name}-Service"
        rules = ses.CfnReceiptRuleSet(self, "Rules", rule_set_name=name)
        told = ses.CfnReceiptRule(self, "Rule", rule_set_name=rules.ref, rule=self.rule(address))
        told.add_resource_dependency(self.may_be_told())

    def rule(self, address: str) -> ses.CfnReceiptRule.RuleProperty:
        """Looked at for spam and viruses, stored, then told to the function."""
        rule = ses.CfnReceiptRule
        stored = rule.S3ActionProperty(
            bucket_name=self.data.files.bucket_name, object_key_prefix=f"{FOLDER}/"
        )
        told = rule.LambdaActionProperty(
            function_arn=self.mails.function_arn, invocation_type="Event"
        )
        return rule.RuleProperty(
            enabled=True,
            recipients=[address],
            scan_enabled=True,
            tls_policy="Require",
            actions=[
                rule.ActionProperty(s3_action=stored),
                rule.ActionProperty(lambda_action=told),
            ],
        )

    def may_be_told(self) -> lambda_.CfnPermission:
        return lambda_.CfnPermission(
            self,
            "MayBeTold",
            action="lambda:InvokeFunction",
            function_name=self.mails.function_name,
            principal=MAIL_SERVICE,
            source_account=Stack.of(self).account,
        )


def let_store_mail(data: Data) -> None:
    """The mail service puts what it receives into its folder of the bucket, and nothing else."""
    account = {"StringEquals": {"aws:SourceAccount": Stack.of(data).account}}
    principal = iam.ServicePrincipal(MAIL_SERVICE)
    data.files.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:PutObject"],
            principals=[principal],
            resources=[data.files.arn_for_objects(f"{FOLDER}/*")],
            conditions=account,
        )
    )
    data.key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            principals=[principal],
            resources=["*"],
            conditions=account,
        )
    )
