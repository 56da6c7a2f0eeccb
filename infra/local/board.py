"""The demo on a terminal: a line for each piece of news, and how far each order is.

Where nobody watches (a pipe, a log) there are only the lines.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from infra.local.telling import News

TAG, WHAT = 9, 20
STYLES = {
    "completed": "bold green",
    "delivered": "green",
    "needs attention": "bold red",
    "payment declined": "red",
    "cancelled": "red",
    "expired": "red",
}


class Board:
    """Orders are known by their tags."""

    def __init__(self, tags: Iterable[str], last_stage: float, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[standing]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.tasks: dict[str, TaskID] = {
            tag: self.progress.add_task(f"{tag:<{TAG}}", total=last_stage, standing="")
            for tag in tags
        }

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def tell(self, tag: str, seconds: float, news: News) -> None:
        self.print(line(tag, seconds, news))

    def move(self, tag: str, stage: float, standing: str) -> None:
        self.progress.update(self.tasks[tag], completed=stage, standing=standing)

    def wait(self, text: str) -> None:
        """Until the board is taken down."""
        self.progress.add_task(f"{'':<{TAG}}", total=None, standing=text)

    def print(self, text: str | Text = "") -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def line(tag: str, seconds: float, news: News) -> Text:
    told = Text.assemble(
        (f"{seconds:7.2f} s  ", "dim"),
        f"{tag:<{TAG}}",
        (f"{news.what:<{WHAT}} ", STYLES.get(news.what, "")),
        (news.detail, "dim"),
    )
    told.rstrip()
    return told
