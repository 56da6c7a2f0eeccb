"""Routing: which locations ship an order, decided exactly, explained, from facts that are kept.

`snapshot` is what a decision is made of, `rules` how it is to be made, `deciding` makes it,
`explaining` says why, `windows` decides for several orders that want the same scarce stock.
"""

from oms.domain.routing.decision import (
    INACTIVE,
    NO_STOCK,
    Alternative,
    Assignment,
    Decision,
    Demand,
    Destination,
    Rejection,
    RoutingOutcome,
)

__all__ = [
    "INACTIVE",
    "NO_STOCK",
    "Alternative",
    "Assignment",
    "Decision",
    "Demand",
    "Destination",
    "Rejection",
    "RoutingOutcome",
]
