"""Where placing was before it was needed by files of orders, too."""

from oms.adapters.placing import *  # noqa: F403
