"""Exact sourcing: which locations ship which units of an order at the lowest cost, and why not
cheaper. `source` is the solver; the modules behind it are its parts.
"""

from oms.domain.sourcing.plan import Shipment, Source, SourcingPlan, Work
from oms.domain.sourcing.solver import source

__all__ = ["Shipment", "Source", "SourcingPlan", "Work", "source"]
