"""Routes of the books."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = ()
# fmt: on
