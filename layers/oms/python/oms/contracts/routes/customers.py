"""Routes of customers: profiles, segments."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = ()
# fmt: on
