"""A label as PDF, A6: from whom, to whom, its number as bars, and as a square for telephones."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from oms.adapters.paper import fonts, paragraph, recipient
from oms.domain.contact import Contact

if TYPE_CHECKING:
    from oms.adapters.carriers.labels import Parcel

SQUARE_MM = 32


def printed(parcel: Parcel, number: str, qr: str) -> bytes:
    """The same label is the same bytes."""
    from reportlab.lib.pagesizes import A6
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    fonts()
    file = io.BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), 6 * mm)
    page = SimpleDocTemplate(file, pagesize=A6, title=number, invariant=1, **margins)
    page.build(list(_flow(parcel, number, qr)))
    return file.getvalue()


def _flow(parcel: Parcel, number: str, qr: str) -> Iterable[Any]:
    from reportlab.graphics.barcode.code128 import Code128
    from reportlab.lib.units import mm
    from reportlab.platypus import Spacer

    yield paragraph(f"Return {parcel.reference}", size=8)
    yield from (paragraph(each, size=8) for each in recipient(Contact(address=parcel.sender)))
    yield Spacer(1, 4 * mm)
    yield from (
        paragraph(each, size=12, bold=True) for each in recipient(Contact(address=parcel.receiver))
    )
    yield Spacer(1, 4 * mm)
    yield Code128(number, barHeight=14 * mm, barWidth=0.3 * mm)
    yield paragraph(number, size=10, bold=True)
    yield Spacer(1, 3 * mm)
    yield _square(qr)


def _square(payload: str) -> Any:
    from reportlab.graphics.barcode.qr import QrCodeWidget
    from reportlab.graphics.shapes import Drawing
    from reportlab.lib.units import mm

    side = SQUARE_MM * mm
    drawing = Drawing(side, side)
    drawing.add(QrCodeWidget(payload, barWidth=side, barHeight=side, barLevel="M"))
    return drawing
