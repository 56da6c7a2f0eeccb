"""A label in ZPL II, for printers of four by six inches at 203 dots per inch.

Fields are UTF-8 (`^CI28`) and what ZPL would read as a command is written in hex (`^FH`): nobody's
address says anything to the printer.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from oms.adapters.carriers.labels import Shipment
from oms.adapters.paper import recipient
from oms.domain.contact import Contact

WIDTH, HEIGHT = 812, 1218  # dots
MARGIN = 40
MODULE = 3  # dots of the narrowest bar: 0.375 mm
SIZES = (44, 34, 26, 20)  # dots of a letter's height; the largest that fits is taken
GAP = 10  # dots between lines
COMMANDS = frozenset("^~_\\")  # with what `^FH` and `^FB` read themselves


def zpl_label(shipment: Shipment, carrier: str, service: str, number: str) -> bytes:
    """The same label is the same bytes."""
    sender, receiver = (
        recipient(Contact(address=each)) for each in (shipment.sender, shipment.receiver)
    )
    commands = [
        f"^XA^CI28^PW{WIDTH}^LL{HEIGHT}^LH0,0",
        *_lines(40, 210, sender, SIZES[2:]),
        f"^FO{MARGIN},220^GB{WIDTH - 2 * MARGIN},2,2^FS",
        *_lines(250, 610, receiver, SIZES),
        f"^FO{MARGIN},620^GB{WIDTH - 2 * MARGIN},2,2^FS",
        *_lines(640, 740, [f"{carrier} {service}", f"{shipment.weight_g} g"], SIZES[1:]),
        *_barcode(760, number),
        *_lines(1030, 1200, [number, shipment.reference], SIZES[1:]),
        "^XZ",
    ]
    return "\n".join(commands).encode()


def _lines(top: int, bottom: int, texts: Sequence[str], sizes: Sequence[int]) -> Iterator[str]:
    """From `top`, and not below `bottom`."""
    for size in sizes:
        lines = _wrapped(texts, size)
        if len(lines) * (size + GAP) <= bottom - top:
            break
    for place, line in enumerate(lines[: (bottom - top) // (size + GAP)]):
        y = top + place * (size + GAP)
        yield f"^FO{MARGIN},{y}^A0N,{size},{size}^FH_^FD{escaped(line)}^FS"


def _wrapped(texts: Sequence[str], size: int) -> list[str]:
    """A letter is about half as wide as it is high."""
    letters = (WIDTH - 2 * MARGIN) * 2 // size
    return [line for text in texts for line in textwrap.wrap(_one_line(text), letters)]


def _barcode(top: int, number: str) -> Iterator[str]:
    """Code 128 in the subset that is shortest (mode A), without a line of text below."""
    yield f"^FO{MARGIN},{top}^BY{MODULE}^BCN,240,N,N,N,A^FD{number}^FS"


def escaped(text: str) -> str:
    """Text as field data under `^FH_`."""
    return "".join(map(_written, _one_line(text)))


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _written(letter: str) -> str:
    return _hex(letter.encode()) if letter in COMMANDS else letter


def _hex(octets: Iterable[int]) -> str:
    return "".join(f"_{octet:02X}" for octet in octets)
