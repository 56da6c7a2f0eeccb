"""Questions about all that has happened: Athena keeps them, `oms lake` asks them here."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

QUERIES = Path(__file__).with_name("queries")
# The bus tells at least once: one row of each id.
EACH_ONCE = """events AS (
  SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY segment) AS n FROM {table}
  ) AS numbered WHERE n = 1
)"""


class Question(NamedTuple):
    name: str
    purpose: str
    text: str

    def asked_of(self, table: str) -> str:
        """The whole query, over this table."""
        each_once = EACH_ONCE.format(table=table)
        if self.text.startswith("WITH "):
            return f"WITH {each_once},\n{self.text.removeprefix('WITH ')}"
        return f"WITH {each_once}\n{self.text}"


def questions() -> Iterator[Question]:
    for path in sorted(QUERIES.glob("*.sql")):
        purpose, _, text = path.read_text().partition("\n")
        yield Question(path.stem, purpose.removeprefix("-- "), text.strip())
