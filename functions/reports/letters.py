"""A report as a mail: its figures drawn, and in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from functions.reports.rendering import BEFORE, Answer
from oms.adapters.charts import Chart
from oms.adapters.letters import PICTURE, Letter
from oms.domain.currencies import EXPONENTS, amount_text
from oms.domain.reporting.description import Report
from oms.domain.reporting.mailing import Due
from oms.domain.reporting.query import shown

MOST_ROWS = 40
MOST_BARS = 400  # a day is one; more are thinner than a point, and drawn for minutes
MOST_FIGURES = 6
INK, FAINT, LINE = "#222222", "#595959", "#dddddd"
FONT = "font-family:Helvetica,Arial,sans-serif"

Row = Mapping[str, Any]


def letter_of(due: Due, answer: Answer, draw: Callable[[Chart], bytes]) -> Letter:
    rows, figures = answer.items(), figures_of(due, answer)
    title = f"{due.mail.report.capitalize()}, {period_of(due)}"
    return Letter(
        subject=f"{title}: {headline(answer, figures)}",
        text=text_of(title, answer, rows, figures),
        html=html_of(title, answer, rows, figures),
        picture=draw(chart_of(answer, rows[:MOST_BARS], figures)),
    )


def figures_of(due: Due, answer: Answer) -> tuple[str, ...]:
    """Those that were asked for and are there; else the first."""
    known = tuple(shown(answer.plan, {}))
    return tuple(n for n in due.mail.figures if n in known) or known[:MOST_FIGURES]


def period_of(due: Due) -> str:
    first, last = due.period.first.isoformat(), due.period.last.isoformat()
    return first if first == last else f"{first} to {last}"


def headline(answer: Answer, figures: Sequence[str]) -> str:
    """The first figure in all, by currency; what is counted once in a row has no total."""
    totals = answer.totals()
    said = [total(answer, figures[0], row) for row in totals if figures[0] in row]
    return f"{worded(figures[0])} {', '.join(said) or '0'}"


def total(answer: Answer, figure: str, row: Row) -> str:
    """What is no money is counted by currency as well."""
    said = cell(answer.plan.report, figure, row)
    is_split = len(answer.totals()) > 1 and figure not in answer.plan.report.money
    return f"{said} ({row['currency']})" if is_split and row.get("currency") else said


def leading(rows: Sequence[Row]) -> tuple[str, Sequence[Row]]:
    """Amounts of several currencies are not drawn side by side: those of the most frequent one
    are. Its code, or nothing where there are not several."""
    counts = Counter(row.get("currency", "") for row in rows)
    if len(counts) < 2:
        return "", rows
    first = min(counts, key=lambda code: (-counts[code], code))
    return first, [row for row in rows if row.get("currency", "") == first]


def chart_of(answer: Answer, rows: Sequence[Row], figures: Sequence[str]) -> Chart:
    """The first figure of each row, and what it was before."""
    report, figure = answer.plan.report, figures[0]
    currency, rows = leading(rows)
    series = {worded(figure): [height(report, figure, row, row) for row in rows]}
    if answer.before is not None:
        series["before"] = [height(report, figure, row[BEFORE], row) for row in rows]
    names = [n for n in answer.plan.asked.group_by if not (currency and n == "currency")]
    labels = [" ".join(str(row[name]) for name in names) for row in rows]
    title = worded(figure).capitalize()
    return Chart(f"{title}, {currency}" if currency else title, labels, series)


def height(report: Report, figure: str, figures: Row, row: Row) -> Decimal:
    value = figures[figure] or 0
    if figure not in report.money:
        return Decimal(value)
    return Decimal(value).scaleb(-EXPONENTS.get(row.get("currency", ""), 2))


def text_of(title: str, answer: Answer, rows: Sequence[Row], figures: Sequence[str]) -> str:
    lines = [[*answer.plan.asked.group_by, *map(worded, figures)]]
    lines += [line_of(answer, row, figures) for row in rows[:MOST_ROWS]]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    table = ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([title, "", *table, *more(rows), ""])


def html_of(title: str, answer: Answer, rows: Sequence[Row], figures: Sequence[str]) -> str:
    names = len(answer.plan.asked.group_by)
    titles = [*answer.plan.asked.group_by, *map(worded, figures)]
    head = "".join(th(n, right=at >= names) for at, n in enumerate(titles))
    body = "".join(
        f"<tr>{''.join(td(c, right=at >= names) for at, c in enumerate(line))}</tr>"
        for line in (line_of(answer, row, figures) for row in rows[:MOST_ROWS])
    )
    rest = "".join(f'<p style="{FONT};color:{FAINT}">{escape(each)}</p>' for each in more(rows))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>"
        f'<body style="margin:0;padding:16px;color:{INK};background:#ffffff">'
        f'<h1 style="{FONT};font-size:20px">{escape(title)}</h1>'
        f'<img src="cid:{PICTURE}" alt="{escape(headline(answer, figures))}" width="600"'
        ' style="width:100%;max-width:600px;height:auto">'
        '<div style="overflow-x:auto"><table role="table" cellspacing="0"'
        f' style="border-collapse:collapse;{FONT}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{rest}</body></html>"
    )


def line_of(answer: Answer, row: Row, figures: Sequence[str]) -> list[str]:
    of = [str(row[name]) for name in answer.plan.asked.group_by]
    return [*of, *(cell(answer.plan.report, name, row) for name in figures)]


def cell(report: Report, figure: str, row: Row) -> str:
    value = row[figure]
    if value is None:
        return "–"
    if figure in report.money and row.get("currency"):
        return amount_text(value, row["currency"])
    return f"{value:,}"


def more(rows: Sequence[Row]) -> list[str]:
    left = len(rows) - MOST_ROWS
    return [f"and {left:,} more rows"] if left > 0 else []


def worded(name: str) -> str:
    return name.replace("_", " ")


def th(name: str, *, right: bool) -> str:
    side = "right" if right else "left"
    style = f"text-align:{side};padding:6px 10px;border-bottom:2px solid {LINE};font-size:13px"
    return f'<th scope="col" style="{style}">{escape(name)}</th>'


def td(text: str, *, right: bool) -> str:
    side = "right" if right else "left"
    style = f"text-align:{side};padding:6px 10px;border-bottom:1px solid {LINE};font-size:13px"
    style += ";white-space:nowrap"
    return f'<td style="{style}">{escape(text)}</td>'
