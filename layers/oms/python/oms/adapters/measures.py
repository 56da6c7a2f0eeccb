"""Metrics for CloudWatch, told in the log (embedded metric format): no call, no wait."""

from __future__ import annotations

NAMESPACE = "Baton"


def send(name: str, value: float, unit: str) -> None:
    """One metric without dimensions: each combination of them would be paid for by itself."""
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics(namespace=NAMESPACE)
    metrics.add_metric(name=name, unit=MetricUnit(unit), value=value)
    metrics.flush_metrics()
