"""What an order costs is what all of it cost, by the orders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.ops.measure_costs import Figure, figures, micro_dollars, read

NOW = datetime(2026, 3, 2, tzinfo=UTC)


class CloudWatch:
    """Knows sums by the names of metrics."""

    def __init__(self, **sums: float) -> None:
        self.sums = sums

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:  # noqa: N803
        return {
            "MetricDataResults": [
                {"Id": each["Id"], "Values": [self.sums[name]]}
                for each in reversed(MetricDataQueries)
                if (name := each["MetricStat"]["Metric"]["MetricName"]) in self.sums
            ]
        }


def test_an_order_costs_its_share_of_all_that_was_counted() -> None:
    asked = figures("arn:order", ["orders", "stock"], "bus")
    said = CloudWatch(ExecutionsStarted=100, ConsumedCapacity=600, ConsumedWriteCapacityUnits=4_500)

    cost = micro_dollars(asked, read(said, asked, NOW))

    assert cost == pytest.approx(1e6 * (600 * 25e-6 + 2 * 4_500 * 0.625e-6) / 100, abs=0.1)


def test_a_day_without_orders_costs_no_order_anything() -> None:
    assert micro_dollars([Figure(0, "", "", {}), Figure(1, "", "", {})], [0, 5]) is None
