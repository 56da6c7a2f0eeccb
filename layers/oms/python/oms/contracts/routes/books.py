"""Routes of the books."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/books", "BooksApi", "ops",
          None, "Books", "Do units, money, events and workflows balance?"),
    Route("POST", "/books/checks", "BooksApi", "ops",
          None, "BooksCheck", "Check everything, however much it is"),
    Route("GET", "/books/checks/{id}", "BooksApi", "ops",
          None, "BooksCheck", "See how far a check is, and what it has found"),
    Route("GET", "/books/tasks", "BooksApi", "ops",
          None, "BookTaskPage", "List differences and what is proposed, open ones first"),
    Route("GET", "/books/tasks/{id}", "BooksApi", "ops",
          None, "BookTask", "See a difference and what is proposed"),
    Route("POST", "/books/tasks/{id}/apply", "BooksApi", "ops",
          None, "BookTask", "Do what is proposed, if the difference is still there"),
    Route("POST", "/books/tasks/{id}/accept", "BooksApi", "ops",
          None, "BookTask", "Take it in hand"),
    Route("POST", "/books/tasks/{id}/dismiss", "BooksApi", "ops",
          "DismissBookTask", "BookTask", "Leave it as it is, for a reason"),
)
# fmt: on
