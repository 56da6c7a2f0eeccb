"""Text messages: to whom they can go, and of how many parts they are."""

from __future__ import annotations

import re
from math import ceil

E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
MAX_PARTS = 3
# GSM 03.38: its alphabet, and what takes two places in it. Anything else is told in UCS-2.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€")
GSM_ONE, GSM_EACH = 160, 153
UCS_ONE, UCS_EACH = 70, 67  # of UTF-16 units


def number_of(phone: str) -> str:
    """The number in E.164, or empty: a number without its country is nobody's for certain."""
    bare = re.sub(r"[\s().\-/]", "", phone)
    return bare if E164.fullmatch(bare) else ""


def parts_of(text: str) -> int:
    """How many messages are paid for."""
    if all(each in GSM or each in GSM_TWICE for each in text):
        places, one, each_ = sum(2 if x in GSM_TWICE else 1 for x in text), GSM_ONE, GSM_EACH
    else:
        places, one, each_ = len(text.encode("utf-16-le")) // 2, UCS_ONE, UCS_EACH
    return 1 if places <= one else ceil(places / each_)
