"""Charts as pictures, for mails: PNG, drawn by matplotlib without a screen."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT, DPI = 6.0, 2.8, 200  # inches: 600 px wide on paper of mails, sharp on phones
MOST_LABELS = 12  # more would overlap
MOST_LETTERS = 70  # of all labels side by side: more are tilted
COLOURS = ("#1f5f8b", "#c2571a", "#4d7a3a", "#7a4d8f")
INK, GRID = "#333333", "#dddddd"


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side: a value of each series for each label."""

    title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[Decimal | float]]


def written(value: float) -> str:
    """Of an axis: of rates as of millions no two are the same."""
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def png(chart: Chart) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / max(1, len(chart.series))
    for place, (name, values) in enumerate(chart.series.items()):
        left = [at - 0.4 + width * (place + 0.5) for at in range(len(values))]
        colour = COLOURS[place % len(COLOURS)]
        axes.bar(left, [float(each) for each in values], width, label=name, color=colour)
    every = -(-len(chart.labels) // MOST_LABELS) or 1
    shown = range(0, len(chart.labels), every)
    labels = [chart.labels[at] for at in shown]
    axes.set_xticks(list(shown), labels, fontsize=8, color=INK, parse_math=False)
    axes.tick_params(axis="both", length=0, labelsize=8, labelcolor=INK)
    if sum(len(chart.labels[at]) for at in shown) > MOST_LETTERS:
        axes.tick_params(axis="x", labelrotation=35)
        for label in axes.get_xticklabels():
            label.set(horizontalalignment="right", rotation_mode="anchor")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.set_title(chart.title, loc="left", fontsize=10, color=INK)
    if len(chart.series) > 1:
        figure.legend(
            fontsize=8, frameon=False, ncols=len(chart.series), loc="outside lower center"
        )
    picture = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(picture, format="png")
    return picture.getvalue()
