"""What wakes a person: one alarm, and one metric, per thing that can be wrong."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.consumers import DeadLetters
from infra.python_function import PythonFunction

MINUTE = Duration.minutes(1)


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
        for step in steps:
            self.alarm(
                f"{step.node.id}Errors",
                step.metric_errors(period=MINUTE),
                f"{step.node.id} keeps failing: orders will need attention",
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
