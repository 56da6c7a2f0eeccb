"""As placing."""

from oms.adapters.hold_rules import *  # noqa: F403
