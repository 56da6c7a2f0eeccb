"""What is counted of the events, for which report, and on which days."""

from oms.domain.reporting.base import (
    Count,
    Header,
    Known,
    Projection,
    Told,
    day_bucket,
    hour_bucket,
    month_bucket,
)

__all__ = [
    "Count",
    "Header",
    "Known",
    "Projection",
    "Told",
    "day_bucket",
    "hour_bucket",
    "month_bucket",
]
