"""Documents as PDF: the same document is the same bytes, however often it is printed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files as package_files
from typing import Any

from oms.domain.contact import Contact, PostalAddress
from oms.domain.currencies import amount_text
from oms.domain.invoicing import Document, DocumentKind, Row

TITLES = {DocumentKind.INVOICE: "Invoice", DocumentKind.CREDIT_NOTE: "Credit note"}
HEADINGS = ("Item", "Quantity", "Unit price", "Discount", "Tax", "Amount")
WIDTHS_MM = (58, 22, 24, 22, 22, 26)
REGULAR, BOLD = "SourceSansPro-Regular", "SourceSansPro-Bold"
# What the font does not have: a viewer brings these itself. First and last code point, font.
ASIAN = (
    (0xAC00, 0xD7AF, "HYSMyeongJo-Medium"),
    (0x3040, 0x30FF, "HeiseiMin-W3"),
    (0x2E80, 0x9FFF, "STSong-Light"),
    (0xFF00, 0xFFEF, "HeiseiMin-W3"),
)


def printed(document: Document, contact: Contact) -> bytes:
    """A PDF of A4 pages. The contact is the customer's, as the vault has it, or empty."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    fonts()
    file = io.BytesIO()
    SimpleDocTemplate(
        file,
        pagesize=A4,
        title=f"{TITLES[document.draft.kind]} {document.number}",
        author=document.seller.name,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
        invariant=1,
    ).build(list(_flow(document, contact)), onFirstPage=_footer, onLaterPages=_footer)
    return file.getvalue()


def _flow(document: Document, contact: Contact) -> Iterable[Any]:
    from reportlab.lib.units import mm
    from reportlab.platypus import Spacer

    yield paragraph(document.seller.name, size=15, bold=True)
    yield from (
        paragraph(each, size=9) for each in (*document.seller.address, document.seller.tax_id)
    )
    yield Spacer(1, 12 * mm)
    yield from (paragraph(each) for each in recipient(contact))
    yield Spacer(1, 12 * mm)
    yield paragraph(f"{TITLES[document.draft.kind]} {document.number}", size=15, bold=True)
    yield from (paragraph(each, size=9) for each in _about(document))
    yield Spacer(1, 6 * mm)
    yield _table(document)
    yield Spacer(1, 6 * mm)
    yield from (paragraph(each, size=9) for each in _below(document))


def recipient(contact: Contact) -> list[str]:
    """The lines of an address, without those that are empty."""
    to = contact.address or PostalAddress("")
    place = " ".join(word for word in (to.postal_code, to.city, to.region) if word)
    lines = (to.name or contact.name, to.company, to.line1, to.line2, place, to.country)
    return [line for line in lines if line]


def _about(document: Document) -> Iterable[str]:
    yield f"Date: {document.issued_at:%Y-%m-%d}"
    yield f"Order: {document.draft.order_id}"
    if document.refers_to:
        yield f"For: {', '.join(document.refers_to)}"
    if document.draft.reason:
        yield f"Reason: {document.draft.reason}"


def _below(document: Document) -> Iterable[str]:
    if document.draft.taxes and document.draft.tax_included:
        yield "Prices include tax."
    if document.seller.note:
        yield document.seller.note


def _table(document: Document) -> Any:
    from reportlab.lib import colors
    from reportlab.lib.units import mm
    from reportlab.platypus import LongTable

    body = [[paragraph(each, bold=True, right=place > 0) for place, each in enumerate(HEADINGS)]]
    body += [_cells(row, document.draft.currency) for row in document.draft.rows]
    body += [_sum(*each) for each in _sums(document)]
    widths = [width * mm for width in WIDTHS_MM]
    rules = [
        ("LINEBELOW", (0, 0), (-1, 0), 0.75, colors.black),
        ("LINEABOVE", (0, len(document.draft.rows) + 1), (-1, -1), 0.25, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    return LongTable(body, colWidths=widths, repeatRows=1, style=rules)


def _cells(row: Row, currency: str) -> list[Any]:
    amounts = (row.unit_price, -row.discount, row.tax, row.amount)
    shown = [amount_text(each, currency).rpartition(" ")[0] if each else "" for each in amounts]
    return [
        paragraph(row.label),
        *(paragraph(each, right=True) for each in (str(row.quantity), *shown)),
    ]


def _sums(document: Document) -> Iterable[tuple[str, str]]:
    draft = document.draft
    for tax in draft.taxes:
        prefix = "Includes " if draft.tax_included else ""
        yield f"{prefix}{tax.name} {tax.rate}".strip(), amount_text(tax.amount, draft.currency)
    yield "Total", amount_text(draft.total, draft.currency)


def _sum(label: str, amount: str) -> list[Any]:
    bold = label == "Total"
    return [paragraph(label, bold=bold), "", "", "", "", paragraph(amount, bold=bold, right=True)]


def paragraph(text: str, size: int = 10, *, bold: bool = False, right: bool = False) -> Any:
    from reportlab.lib.enums import TA_LEFT, TA_RIGHT
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "text",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.3,
        alignment=TA_RIGHT if right else TA_LEFT,
        splitLongWords=1,
    )
    return Paragraph(marked_up(text), style)


def marked_up(text: str) -> str:
    """Escaped, with runs of letters that the font lacks in another one."""
    runs: list[tuple[str, str]] = []
    for letter in text:
        font = _font_of(letter)
        if runs and runs[-1][0] == font:
            runs[-1] = (font, runs[-1][1] + letter)
        else:
            runs.append((font, letter))
    return "".join(
        f'<font name="{font}">{escape(run)}</font>' if font else escape(run) for font, run in runs
    )


def _font_of(letter: str) -> str:
    code = ord(letter)
    return next((font for first, last, font in ASIAN if first <= code <= last), "")


def _footer(canvas: Any, template: Any) -> None:
    canvas.setFont(REGULAR, 8)
    canvas.drawRightString(template.pagesize[0] - 51, 28, f"{canvas.getPageNumber()}")


@cache
def fonts() -> Sequence[str]:
    """Registered once in an environment."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    folder = package_files("font_source_sans_pro") / "files"
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    asian = sorted({font for _, _, font in ASIAN})
    for name in asian:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return (REGULAR, BOLD, *asian)
