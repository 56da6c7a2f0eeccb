"""Every few hours: make of what was measured what may be promised from now on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from oms.adapters.network_table import network_table
from oms.adapters.policies_table import policies_table
from oms.adapters.promise_history import promise_history
from oms.domain.network.lanes import Lane, Measured
from oms.domain.promising.history import Times, learned
from oms.domain.promising.policy import PromisePolicy
from oms.observability import logger, observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "REPORTS_TABLE", "STOCK_TABLE")

REMEMBERED = timedelta(days=90)  # what is older says little of how carriers drive now
POLICY = "promises"


class History(Protocol):
    def times(self, first: date, last: date) -> Mapping[Lane, Times]: ...


class Network(Protocol):
    def learn(self, measured: Iterable[Measured], at: datetime) -> int: ...


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    policy = policies_table().newest(POLICY, PromisePolicy).document
    lanes = learn(promise_history(), network_table(), policy, datetime.now(UTC))
    logger().info("learned", extra={"lanes": lanes})
    return {"outcome": "learned", "lanes": lanes}


def learn(history: History, network: Network, policy: PromisePolicy, at: datetime) -> int:
    """On how many lanes enough parcels were measured. A destination may be a day ahead of ours."""
    today = at.date()
    found = history.times(today - REMEMBERED, today + timedelta(days=1))
    return network.learn(learned(found.items(), policy), at)
