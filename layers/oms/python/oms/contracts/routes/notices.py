"""Routes of what customers are told."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = ()
# fmt: on
