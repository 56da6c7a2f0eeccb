"""Routes of segments of customers."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = ()
# fmt: on
