"""What a scanner sees: the bars of a page, and what they say by ISO/IEC 15417 (Code 128)."""

from __future__ import annotations

import base64
import re
import zlib
from itertools import pairwise

STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
BAR = re.compile(rb"n ([\d.]+) [\d.]+ ([\d.]+) [\d.]+ re f\*")
START_B, START_C, STOP = 104, 105, 106
TO_C, TO_B = 99, 100
PATTERNS = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132
122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212
322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311
112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321
331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214
112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212
124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113
411311 113141 114131 311141 411131 211412 211214 211232 233111
"""
WIDTHS = PATTERNS.split()


def seen(pdf: bytes) -> str:
    """The widths of bars and spaces, in modules, from the left to the right of the first page."""
    bars = [(float(x), float(width)) for x, width in BAR.findall(_page(pdf))]
    module = min(width for _, width in bars)
    widths = [bars[0][1]]
    for (left, width), (right, next_width) in pairwise(bars):
        widths += [right - left - width, next_width]
    return "".join(str(round(width / module)) for width in widths)


def said(widths: str) -> str:
    """What the bars say. Raises AssertionError for what no scanner would take."""
    assert widths.endswith("2331112")
    symbols = [widths[place : place + 6] for place in range(0, len(widths) - 7, 6)]
    values = [WIDTHS.index(symbol) for symbol in symbols]
    start, *told, check = values
    assert (start + sum(place * value for place, value in enumerate(told, 1))) % 103 == check
    return "".join(_letters(start, told))


def _letters(start: int, told: list[int]) -> list[str]:
    assert start in (START_B, START_C)
    letters, in_pairs = list[str](), start == START_C
    for value in told:
        if value in (TO_C, TO_B) and in_pairs == (value == TO_B):
            in_pairs = not in_pairs
        else:
            letters.append(f"{value:02}" if in_pairs else chr(value + 32))
    return letters


def _page(pdf: bytes) -> bytes:
    for found in STREAM.finditer(pdf):
        try:
            page = zlib.decompress(base64.a85decode(b"<~" + found[1].strip(), adobe=True))
        except (ValueError, zlib.error):
            continue
        if b" re f*" in page:
            return page
    raise AssertionError("there is no page with bars")
