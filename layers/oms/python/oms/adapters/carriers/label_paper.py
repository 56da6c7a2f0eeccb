"""Labels as PDF, A6: from whom, to whom, the number as bars, and as a square for telephones. And
the list of a day's parcels."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from oms.adapters.paper import fonts, paragraph, recipient
from oms.domain.contact import Contact, PostalAddress

if TYPE_CHECKING:
    from oms.adapters.carriers.labels import HandOver, Parcel, Shipment

SQUARE_MM = 32
MODULE_MM = 0.3  # the narrowest bar
WIDER_MM = 0.375  # three dots of a label printer: a tracking number of ours is 67 mm wide


def printed(parcel: Parcel, number: str, qr: str) -> bytes:
    """The same label is the same bytes."""
    from reportlab.lib.pagesizes import A6

    return _built(A6, number, 6, lambda: _flow(parcel, number, qr))


def shipping_label(shipment: Shipment, carrier: str, service: str, number: str) -> bytes:
    """The same label is the same bytes."""
    from reportlab.lib.pagesizes import A6

    return _built(A6, number, 6, lambda: _shipping(shipment, f"{carrier} {service}", number))


def manifest_pages(hand_over: HandOver, number: str) -> bytes:
    """A4: whose parcels they are, how many, each with its number; signed by who takes them."""
    from reportlab.lib.pagesizes import A4

    return _built(A4, number, 18, lambda: _listing(hand_over, number))


def _built(size: Any, title: str, margin_mm: int, flow: Callable[[], Iterable[Any]]) -> bytes:
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    fonts()
    file = io.BytesIO()
    sides = ("leftMargin", "rightMargin", "topMargin", "bottomMargin")
    margins = dict.fromkeys(sides, margin_mm * mm)
    SimpleDocTemplate(file, pagesize=size, title=title, invariant=1, **margins).build(list(flow()))
    return file.getvalue()


def _shipping(shipment: Shipment, service: str, number: str) -> Iterable[Any]:
    yield _address(shipment.sender, 8, 28)
    yield _gap(4)
    yield _address(shipment.receiver, 12, 50, bold=True)
    yield _gap(4)
    yield paragraph(f"{service}, {shipment.weight_g} g", size=9)
    yield _gap(3)
    yield _bars(number, 18, WIDER_MM)
    yield paragraph(number, size=10, bold=True)
    yield paragraph(shipment.reference, size=7)


def _listing(hand_over: HandOver, number: str) -> Iterable[Any]:
    total = sum(label.weight_g for label in hand_over.labels)
    yield paragraph(f"Manifest {number}", size=15, bold=True)
    yield paragraph(f"Carrier: {hand_over.carrier}")
    yield paragraph(f"From: {hand_over.location.name}, {hand_over.day:%Y-%m-%d}")
    yield paragraph(f"Parcels: {len(hand_over.labels)}, {total} g")
    yield _gap(4)
    yield _bars(hand_over.key, 14)
    yield paragraph(hand_over.key, size=7)
    yield _gap(6)
    yield _parcels(hand_over)
    yield _gap(14)
    yield paragraph("Received by, date, signature: ______________________________")


def _parcels(hand_over: HandOver) -> Any:
    from reportlab.lib import colors
    from reportlab.lib.units import mm
    from reportlab.platypus import LongTable

    rows = [("", "Tracking number", "Service", "Weight")]
    rows += [
        (str(place), label.tracking_number, label.service, f"{label.weight_g} g")
        for place, label in enumerate(hand_over.labels, 1)
    ]
    cells = [[paragraph(each, size=9, bold=row == rows[0]) for each in row] for row in rows]
    widths = [width * mm for width in (12, 72, 60, 30)]
    rule = [("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.grey)]
    return LongTable(cells, colWidths=widths, repeatRows=1, style=rule)


def _address(address: PostalAddress, size: int, height_mm: int, *, bold: bool = False) -> Any:
    """Smaller, where it is too long for its room: the bars below stay on the page."""
    from reportlab.lib.units import mm
    from reportlab.platypus import KeepInFrame

    lines = recipient(Contact(address=address))
    flow = [paragraph(line, size=size, bold=bold) for line in lines]
    return KeepInFrame(0, height_mm * mm, flow, mode="shrink")


def _gap(height_mm: int) -> Any:
    from reportlab.lib.units import mm
    from reportlab.platypus import Spacer

    return Spacer(1, height_mm * mm)


def _bars(number: str, height_mm: int, module_mm: float = MODULE_MM) -> Any:
    from reportlab.graphics.barcode.code128 import Code128
    from reportlab.lib.units import mm

    return Code128(number, barHeight=height_mm * mm, barWidth=module_mm * mm)


def _flow(parcel: Parcel, number: str, qr: str) -> Iterable[Any]:
    yield paragraph(f"Return {parcel.reference}", size=8)
    yield _address(parcel.sender, 8, 22)
    yield _gap(4)
    yield _address(parcel.receiver, 12, 36, bold=True)
    yield _gap(4)
    yield _bars(number, 14)
    yield paragraph(number, size=10, bold=True)
    yield _gap(3)
    yield _square(qr)


def _square(payload: str) -> Any:
    from reportlab.graphics.barcode.qr import QrCodeWidget
    from reportlab.graphics.shapes import Drawing
    from reportlab.lib.units import mm

    side = SQUARE_MM * mm
    drawing = Drawing(side, side)
    drawing.add(QrCodeWidget(payload, barWidth=side, barHeight=side, barLevel="M"))
    return drawing
