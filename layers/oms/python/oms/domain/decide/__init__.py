"""What an order answers to a command: events, or a refusal. Pure; nothing is written here."""

from oms.domain.decide import (
    cancelling,
    disputing,
    editing,
    following,
    fulfillment,
    holding,
    payment,
    promising,
    refunding,
    returning,
    routing,
)
from oms.domain.decide.deciding import decide, facts
from oms.domain.decide.fulfillment import MAX_ROUTING_ROUNDS
from oms.domain.decide.placing import place
from oms.domain.decide.routing import OUT_OF_STOCK
from oms.domain.order import needs_batches

# Each of these modules teaches `decide` the commands of its capability.
CAPABILITIES = (
    payment,
    routing,
    holding,
    fulfillment,
    cancelling,
    editing,
    returning,
    refunding,
    following,
    promising,
    disputing,
)

__all__ = [
    "CAPABILITIES",
    "MAX_ROUTING_ROUNDS",
    "OUT_OF_STOCK",
    "decide",
    "facts",
    "needs_batches",
    "place",
]
