"""Routes of what customers ask."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = ()
# fmt: on
