"""Screeners of new orders, by the name that the policy gives them."""

from collections.abc import Mapping

from oms.adapters.screening.base import Screener
from oms.adapters.screening.none import NoScreener
from oms.adapters.screening.sandbox import SandboxScreener

SCREENERS: Mapping[str, Screener] = {
    screener.code: screener for screener in (NoScreener(), SandboxScreener())
}
