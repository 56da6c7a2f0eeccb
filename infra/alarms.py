"""What wakes a person: one alarm, and one metric, per thing that can be wrong."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.consumers import DeadLetters
from infra.python_function import PythonFunction
from oms.adapters.measures import NAMESPACE

MINUTE = Duration.minutes(1)
# What a function says of a surprise, and Lambda of one that was ended.
FAILED = '{ $.message = "failed" || $.record.status = "timeout" || $.record.status = "error" }'


class Alarms(Construct):
    def __init__(self, scope: Construct, topic: sns.Topic | None = None) -> None:
        """They tell this topic, or one of their own."""
        super().__init__(scope, "Alarms")
        self.topic = topic or self.own_topic()

    def own_topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Topic", display_name="Baton needs a person", enforce_ssl=True)
        topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        if address := self.node.try_get_context("alarmEmail"):
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def watch_dead_letters(self, queues: Sequence[DeadLetters]) -> None:
        for queue in queues:
            self.alarm(
                f"{queue.function.node.id}Failures",
                queue.metric_approximate_number_of_messages_visible(
                    period=MINUTE, statistic="Maximum"
                ),
                f"{queue.function.node.id} gave up on something: see its dead letters",
            )

    def watch_workflow(self, machine: sfn.StateMachine, of: str = "") -> None:
        self.alarm(
            f"{of}WorkflowFailures",
            machine.metric_failed(period=MINUTE),
            "Not even the wait for a person could be recorded: the reconciler tries again",
        )

    def watch_steps(self, steps: Sequence[PythonFunction]) -> None:
        """All of them by one metric: its dashboard tells them apart."""
        for step in steps:
            logs.MetricFilter(
                self,
                f"{step.node.id}Failed",
                log_group=step.log_group,
                filter_pattern=logs.FilterPattern.literal(FAILED),
                metric_namespace=NAMESPACE,
                metric_name="StepErrors",
                metric_value="1",
            )
        failed = cloudwatch.Metric(
            namespace=NAMESPACE, metric_name="StepErrors", statistic="Sum", period=MINUTE
        )
        self.alarm(
            "StepErrors",
            failed,
            "A step of the workflows keeps failing: orders will need attention",
            threshold=5,
        )

    def watch_outbox(self, publisher: PythonFunction) -> None:
        lag = publisher.metric("IteratorAge", period=MINUTE, statistic="Maximum")
        self.alarm(
            "OutboxLag",
            lag,
            "Events wait for more than a minute to be published",
            threshold=MINUTE.to_milliseconds(),
        )

    def alarm(
        self, name: str, metric: cloudwatch.IMetric, description: str, threshold: float = 1
    ) -> None:
        alarm(self, name, metric, description, self.topic, threshold)


def watch_api(scope: Construct, api: apigateway.CfnApi, topic: sns.ITopic) -> None:
    faults = cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name="5xx",
        dimensions_map={"ApiId": api.ref},
        period=MINUTE,
        statistic="Sum",
    )
    alarm(scope, "ApiFaults", faults, "The API answers with faults of its own", topic, threshold=5)


def alarm(
    scope: Construct,
    name: str,
    metric: cloudwatch.IMetric,
    description: str,
    topic: sns.ITopic,
    threshold: float = 1,
) -> None:
    declared = cloudwatch.Alarm(
        scope,
        name,
        metric=metric,
        alarm_description=description,
        threshold=threshold,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    declared.add_alarm_action(actions.SnsAction(topic))
