"""What customers are told."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.consumers import Schedule, Subscription
from infra.data import WRITE, Data
from infra.python_function import Layers, PythonFunction

TOLD = [
    "BackorderReleased",
    "BackorderRescheduled",
    "FulfillmentOrderDelivered",
    "FulfillmentOrderReady",
    "FulfillmentOrderShipped",
    "OrderBackordered",
    "OrderCancelled",
    "OrderEdited",
    "OrderLinesCancelled",
    "PaymentAuthorized",
    "PromiseRevised",
    "RefundGranted",
    "ReturnApproved",
    "ReturnDeclined",
    "ReturnExpired",
    "ReturnReceived",
    "ReturnSettled",
]
EVERY = Duration.minutes(15)  # what waits for the morning waits for an hour of the clock


class Notifications(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Notifications")
        self.reports = MailReports(self)
        environment = self.environment(data)
        self.notify = PythonFunction(
            self,
            "NotifyCustomer",
            "notifications/notify_customer",
            layers,
            environment,
            timeout=30,
        )
        self.waiting = PythonFunction(
            self, "SendWaiting", "notifications/send_waiting", layers, environment, timeout=60
        )
        self.api = PythonFunction(
            self, "NotificationsApi", "notifications/api", layers, environment, timeout=29
        )
        self.page = self.unsubscribe_page(data, layers)
        self.bounces = self.taker_of_reports(data, layers)
        self.permit(data)
        first = Subscription(self.notify, data, TOLD).dead_letters
        Schedule(self.waiting, EVERY, shared=first)
        first.take_failed_invocations(self.bounces)
        self.dead_letters = [first]

    def environment(self, data: Data) -> dict[str, str]:
        return {
            "ORDERS_TABLE": data.orders.table_name,
            "CUSTOMERS_TABLE": data.customers.table_name,
            "REPORTS_TABLE": data.reports.table_name,
            "VAULT_KEY_ID": data.key.key_id,
            "SENDER_EMAIL": data.mails.sender,
            "MAIL_REPORTS": self.reports.name,
            "SECRET_ID": data.secrets.arn,
            "TRACKING_PAGES": pages(self, "trackingPages"),
            "UNSUBSCRIBE_PAGES": pages(self, "unsubscribePages"),
        }

    def unsubscribe_page(self, data: Data, layers: Layers) -> PythonFunction:
        environment = {
            "CUSTOMERS_TABLE": data.customers.table_name,
            "SECRET_ID": data.secrets.arn,
        }
        page = PythonFunction(
            self, "UnsubscribePage", "notifications/unsubscribe_page", layers, environment
        )
        data.customers.permit(page, "GetItem", "UpdateItem")
        data.secrets.permit(page)
        return page

    def taker_of_reports(self, data: Data, layers: Layers) -> PythonFunction:
        environment = {
            "CUSTOMERS_TABLE": data.customers.table_name,
            "REPORTS_TABLE": data.reports.table_name,
            "SECRET_ID": data.secrets.arn,
        }
        taker = PythonFunction(
            self, "TakeMailEvents", "notifications/take_mail_events", layers, environment
        )
        data.customers.permit(taker, "UpdateItem")
        data.reports.permit(taker, "GetItem", "PutItem", "UpdateItem")
        data.secrets.permit(taker)
        self.reports.topic.add_subscription(subscriptions.LambdaSubscription(taker))
        return taker

    def permit(self, data: Data) -> None:
        for function in (self.notify, self.waiting, self.api):
            data.orders.permit(function, "GetItem")
            data.mails.permit(function)
            self.reports.permit(function)
            data.secrets.permit(function)
            data.permit_vault(function, "kms:Decrypt")
        for function in (self.notify, self.waiting):
            data.customers.permit(function, "GetItem")
            permit_texts(function)
        data.reports.permit(self.notify, "GetItem", *WRITE)
        data.reports.permit(self.waiting, "GetItem", "Query", *WRITE)
        data.customers.permit(self.api, "GetItem", "UpdateItem")
        data.reports.permit(self.api, "GetItem", "Query", *WRITE)


class MailReports(Construct):
    """What the mail service says of our mails: bounces, complaints, and what it refused."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "MailReports")
        self.name = f"{Stack.of(self).stack_name}-Mails"
        self.topic = sns.Topic(self, "Topic", display_name="Bounces", enforce_ssl=True)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"AWS:SourceAccount": Stack.of(self).account}},
            )
        )
        # Nobody is suppressed behind our back: the list is ours, and staff can take one off it.
        reports = ses.CfnConfigurationSet(
            self,
            "Set",
            name=self.name,
            sending_options=ses.CfnConfigurationSet.SendingOptionsProperty(sending_enabled=True),
            suppression_options=ses.CfnConfigurationSet.SuppressionOptionsProperty(
                suppressed_reasons=[]
            ),
        )
        destination = ses.CfnConfigurationSetEventDestination(
            self,
            "Reports",
            configuration_set_name=self.name,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                name="reports",
                enabled=True,
                matching_event_types=["bounce", "complaint", "reject"],
                sns_destination=ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(
                    topic_arn=self.topic.topic_arn
                ),
            ),
        )
        destination.add_dependency(reports)

    def permit(self, function: PythonFunction) -> None:
        arn = Stack.of(self).format_arn(service="ses", resource=f"configuration-set/{self.name}")
        function.permit([arn], "ses:SendEmail")


def permit_texts(function: PythonFunction) -> None:
    """Text messages go to numbers, which no resource of ours is."""
    function.permit(["*"], "sns:Publish")
    acknowledge(
        function.role or function,
        "IAM5[Resource::*]",
        "A text message goes to a number, not to a topic: SNS knows no resource for it",
    )


def pages(scope: Construct, name: str) -> str:
    """What the address of a customer's page begins with; a token of their own follows."""
    return scope.node.try_get_context(name) or "none"
