"""What ops look at: one dashboard, and the alarms of what no single function can tell."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.alarms import Alarms
from infra.consumers import Schedule
from infra.data import Data
from infra.python_function import Layers, PythonFunction
from infra.workflow import workflow_arns
from oms.adapters.measures import NAMESPACE

MINUTES, HOUR, DAY = Duration.minutes(5), Duration.hours(1), Duration.days(1)
# Functions that ask payment providers; one that cannot say how it ended fails with this.
PAYING = ("AuthorizePayment", "CapturePayment", "RefundPayment", "ReconcileOrders")
UNDECIDED = '{ $.error = "Undecided" }'
RECONSIDERED = '{ $.message = "a promise was reconsidered" }'
HALF = 12  # of the width

Metric = cloudwatch.IMetric


class Operations(Construct):
    """`alarms` are those of the stack: it tells their topic."""

    def __init__(self, scope: Construct, data: Data, layers: Layers, alarms: Alarms) -> None:
        super().__init__(scope, "Operations")
        workflow = workflow_arns()["ORDER_WORKFLOW"]
        tables = [data.orders, data.stock, data.customers, data.reports, data.jobs, data.channels]
        self.measure = PythonFunction(
            self,
            "MeasureOperations",
            "ops/measure_operations",
            layers,
            {"ORDERS_TABLE": data.orders.table_name, "STOCK_TABLE": data.stock.table_name},
            timeout=30,
        )
        self.costs = PythonFunction(
            self,
            "MeasureCosts",
            "ops/measure_costs",
            layers,
            {
                "ORDER_WORKFLOW": workflow,
                "TABLES": ",".join(table.table_name for table in tables),
                "EVENT_BUS": data.bus.event_bus_name,
            },
            timeout=30,
        )
        self.permit(data)
        first = Schedule(self.measure, MINUTES).dead_letters
        Schedule(self.costs, DAY, first)
        self.dead_letters = [first]
        self.watch(alarms)
        self.dashboard(workflow)

    def permit(self, data: Data) -> None:
        data.orders.permit(self.measure, "BatchGetItem", indexes=("GSI3",))
        data.stock.permit(self.measure, "Query")
        self.costs.permit(["*"], "cloudwatch:GetMetricData")
        acknowledge(
            self.costs.role or self,
            "IAM5[Resource::*]",
            "GetMetricData knows no resources; it reads counts",
        )

    def watch(self, alarms: Alarms) -> None:
        """Thresholds by context: `unshippedHours`, `attentionOrders`, `orderMicroDollars`."""
        for name, metric, threshold, why in (
            ("OldestUnshipped", self.oldest, self.of("unshippedHours", 24), OLDEST),
            ("AttentionQueue", self.attention, self.of("attentionOrders", 25), ATTENTION),
            ("PromiseRisk", self.at_risk(HOUR), 10, RISK),
            ("ProviderErrors", self.provider_errors(MINUTES), 5, PROVIDERS),
            ("CostPerOrder", self.cost, self.of("orderMicroDollars", 500), COST),
        ):
            alarms.alarm(name, metric, why, threshold)
        self.count("PromisesAtRisk", "OmsOutside", ("KeepPromises",), RECONSIDERED)
        self.count("ProviderErrors", "OmsService", PAYING, UNDECIDED)

    def of(self, name: str, usual: float) -> float:
        return float(self.node.try_get_context(name) or usual)

    @property
    def oldest(self) -> Metric:
        return ours("OldestUnshippedHours", "Maximum", MINUTES)

    @property
    def attention(self) -> Metric:
        return ours("OrdersNeedingAttention", "Maximum", MINUTES)

    @property
    def cost(self) -> Metric:
        return ours("CostPerOrderMicroDollars", "Maximum", DAY)

    def at_risk(self, period: Duration) -> Metric:
        return ours("PromisesAtRisk", "Sum", period)

    def provider_errors(self, period: Duration) -> Metric:
        return ours("ProviderErrors", "Sum", period)

    def count(self, metric: str, stack: str, functions: tuple[str, ...], pattern: str) -> None:
        """Lines of their logs that say so."""
        for function in functions:
            group = f"/aws/lambda/{stack}-{function}"
            logs.MetricFilter(
                self,
                f"{metric}{function}",
                log_group=logs.LogGroup.from_log_group_name(self, f"{function}Log", group),
                filter_pattern=logs.FilterPattern.literal(pattern),
                metric_namespace=NAMESPACE,
                metric_name=metric,
                metric_value="1",
            )

    def dashboard(self, workflow: str) -> None:
        shown = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name="Baton", default_interval=Duration.days(1)
        )
        started = of_workflow("ExecutionsStarted", workflow)
        failed = of_workflow("ExecutionsFailed", workflow)
        for title, metrics in (
            ("Orders taken, workflows failed", [started, failed]),
            ("Waiting: oldest unshipped (hours), need a person", [self.oldest, self.attention]),
            ("Promises at risk, provider errors", [self.at_risk(HOUR), self.provider_errors(HOUR)]),
            ("An order's cost, millionths of a dollar", [self.cost]),
            ("Outbox: age of the oldest event (ms)", [found(OUTBOX, "Maximum")]),
            ("Dead letters", [found(LETTERS, "Maximum")]),
            ("Steps of workflows that fail", [ours("StepErrors", "Sum", MINUTES)]),
            ("Functions that fail", [found(ERRORS, "Sum")]),
            ("API: calls, refused, faults", [found(API, "Sum")]),
            ("Tables: throttled", [found(THROTTLED, "Sum")]),
        ):
            shown.add_widgets(cloudwatch.GraphWidget(title=title, left=metrics, width=HALF))


OLDEST = "Something that is paid for and in stock has not left for too long"
ATTENTION = "Many orders need a decision"
RISK = "Many promises are at risk: a location or a carrier is late"
PROVIDERS = "A payment provider does not say how payments ended"
COST = "An order costs more than it should: something runs too often"
OUTBOX = '{AWS/Lambda,FunctionName} MetricName="IteratorAge" "OmsService-PublishEvents"'
LETTERS = '{AWS/SQS,QueueName} MetricName="ApproximateNumberOfMessagesVisible" DeadLetters'
ERRORS = '{AWS/Lambda,FunctionName} MetricName="Errors" Oms'
API = '{AWS/ApiGateway,ApiId} MetricName=("Count" OR "4xx" OR "5xx")'
THROTTLED = '{AWS/DynamoDB,TableName} MetricName="ThrottledRequests"'


def ours(name: str, statistic: str, period: Duration) -> Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=name, statistic=statistic, period=period
    )


def of_workflow(name: str, machine: str) -> Metric:
    return cloudwatch.Metric(
        namespace="AWS/States",
        metric_name=name,
        dimensions_map={"StateMachineArn": machine},
        statistic="Sum",
        period=HOUR,
    )


def found(query: str, statistic: str) -> Metric:
    """Of every function, queue or table that there is: the dashboard need not know their names."""
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{query}', '{statistic}')", period=MINUTES, label="", using_metrics={}
    )
