"""How the commands ask the API, and how they show what it said."""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.local.__main__ import running_cloud
from infra.local.client import Client, Json

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = argparse._SubParsersAction

MOST = 1_000  # rows that a list shows


@dataclass(frozen=True, slots=True)
class Said:
    """`answer` as JSON, `lines` for people; not `well` when somebody has to do something."""

    answer: Any
    lines: Sequence[str] = field(default_factory=tuple)
    well: bool = True


Work = Callable[[Client, argparse.Namespace], Said]


def client() -> Client:
    url, token = os.environ.get("OMS_URL"), os.environ.get("OMS_TOKEN")
    return Client(url, lambda: token) if url and token else Client.of(running_cloud())


def command(
    commands: "Commands", name: str, work: Work, help_: str, more: str = ""
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=help_, description=f"{help_[0].upper()}{help_[1:]}. {more}"
    )
    parser.add_argument("--json", action="store_true", help="print what the API said")
    parser.set_defaults(work=work)
    return parser


def table(rows: Iterable[Sequence[Any]]) -> list[str]:
    """In columns, each as wide as its widest; the last is not filled up."""
    shown = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*shown, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]


def money(amount: int, currency: str) -> str:
    from oms.domain.currencies import amount_text

    return amount_text(amount, currency)


def listed(client: Client, path: str, most: int = MOST, **query: Any) -> list[Json]:
    """As many of a list as somebody would read."""
    found: list[Json] = []
    for each in client.pages(path, **query):
        found.append(each)
        if len(found) >= most:
            break
    return found
