"""What an order has cost in the last day, by what AWS counted and its list prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from oms.adapters import aws
from oms.adapters.measures import send
from oms.observability import observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = ("ORDER_WORKFLOW", "TABLES", "EVENT_BUS")
DAY = timedelta(days=1)
GB_OF_A_FUNCTION = 0.25  # all but a few have as much


class Figure(NamedTuple):
    """A sum that CloudWatch keeps, and what one of it costs in us-east-1 (list prices of 2026)."""

    usd: float
    namespace: str
    metric: str
    dimensions: Mapping[str, str]


ORDERS = "ExecutionsStarted"


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    asked = figures(setting("ORDER_WORKFLOW"), setting("TABLES").split(","), setting("EVENT_BUS"))
    sums = read(aws.client("cloudwatch", attempts=3), asked, datetime.now(UTC))
    if (cost := micro_dollars(asked, sums)) is not None:
        send("CostPerOrderMicroDollars", cost, "Count")
    return {"outcome": "measured" if cost is not None else "no orders"}


def figures(workflow: str, tables: Sequence[str], bus: str) -> list[Figure]:
    """The first counts the orders, and costs nothing itself."""
    millisecond = 13.3334e-6 * GB_OF_A_FUNCTION / 1000
    machine = {"StateMachineArn": workflow}
    return [
        Figure(0, "AWS/States", ORDERS, machine),
        Figure(25e-6, "AWS/States", "ConsumedCapacity", {"ServiceMetric": "StateTransition"}),
        Figure(0.20e-6, "AWS/Lambda", "Invocations", {}),
        Figure(millisecond, "AWS/Lambda", "Duration", {}),
        Figure(1.00e-6, "AWS/Events", "PutEventsEntriesCount", {"EventBusName": bus}),
        *(
            Figure(usd, "AWS/DynamoDB", f"Consumed{kind}CapacityUnits", {"TableName": table})
            for table in tables
            for kind, usd in (("Write", 0.625e-6), ("Read", 0.125e-6))
        ),
    ]


def read(client: Any, asked: Sequence[Figure], now: datetime) -> list[float]:
    """The sum of each over the last day."""
    queries = [
        {
            "Id": f"f{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": each.namespace,
                    "MetricName": each.metric,
                    "Dimensions": [{"Name": n, "Value": v} for n, v in each.dimensions.items()],
                },
                "Period": int(DAY.total_seconds()),
                "Stat": "Sum",
            },
        }
        for number, each in enumerate(asked)
    ]
    answer = client.get_metric_data(MetricDataQueries=queries, StartTime=now - DAY, EndTime=now)
    found = {each["Id"]: sum(each["Values"]) for each in answer["MetricDataResults"]}
    return [found.get(f"f{number}", 0.0) for number in range(len(asked))]


def micro_dollars(asked: Sequence[Figure], sums: Sequence[float]) -> float | None:
    """Of an order, in millionths of a dollar; None on a day without orders."""
    orders = sums[0]
    if not orders:
        return None
    dollars = sum(each.usd * count for each, count in zip(asked, sums, strict=True))
    return round(1e6 * dollars / orders, 1)
