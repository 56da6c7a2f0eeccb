"""A chart is a picture that mail clients show."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from oms.adapters.charts import DPI, HEIGHT, WIDTH, Chart, png


@pytest.mark.parametrize("labels", [0, 1, 31])
def test_bars_of_each_series_are_drawn(labels: int) -> None:
    days = [f"{n:02}" for n in range(labels)]
    chart = Chart("Net sales", days, {"now": [100.0] * labels, "before": [50.0] * labels})

    picture = Image.open(io.BytesIO(png(chart)))

    assert picture.format == "PNG"
    assert picture.size == (round(WIDTH * DPI), round(HEIGHT * DPI))
    colours = {colour for _, colour in picture.convert("RGB").getcolors(10**6) or []}
    assert ((0x1F, 0x5F, 0x8B) in colours) == bool(labels)


@pytest.mark.parametrize("label", ["$x^$", "$\\frac{$", "A$B$"])
def test_a_label_is_a_name_and_no_formula(label: str) -> None:
    assert png(Chart("Units", [label], {"now": [1.0]}))
