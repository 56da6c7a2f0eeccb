"""Telephone numbers in the form in which two of them are the same: digits, with their country."""

from __future__ import annotations

import re
import unicodedata

# ITU-T E.164 country codes, by the alpha-2 code of the country.
_CODES = """
1 AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT UM US VC VG VI
20 EG|211 SS|212 EH MA|213 DZ|216 TN|218 LY|220 GM|221 SN|222 MR|223 ML|224 GN|225 CI|226 BF
227 NE|228 TG|229 BJ|230 MU|231 LR|232 SL|233 GH|234 NG|235 TD|236 CF|237 CM|238 CV|239 ST|240 GQ
241 GA|242 CG|243 CD|244 AO|245 GW|246 IO|248 SC|249 SD|250 RW|251 ET|252 SO|253 DJ|254 KE|255 TZ
256 UG|257 BI|258 MZ|260 ZM|261 MG|262 RE TF YT|263 ZW|264 NA|265 MW|266 LS|267 BW|268 SZ|269 KM
27 ZA|290 SH|291 ER|297 AW|298 FO|299 GL|30 GR|31 NL|32 BE|33 FR|34 ES|350 GI|351 PT|352 LU|353 IE
354 IS|355 AL|356 MT|357 CY|358 AX FI|359 BG|36 HU|370 LT|371 LV|372 EE|373 MD|374 AM|375 BY|376 AD
377 MC|378 SM|380 UA|381 RS|382 ME|383 XK|385 HR|386 SI|387 BA|389 MK|39 IT VA|40 RO|41 CH|420 CZ
421 SK|423 LI|43 AT|44 GB GG IM JE|45 DK|46 SE|47 BV NO SJ|48 PL|49 DE|500 FK GS|501 BZ|502 GT
503 SV|504 HN|505 NI|506 CR|507 PA|508 PM|509 HT|51 PE|52 MX|53 CU|54 AR|55 BR|56 CL|57 CO|58 VE
590 BL GP MF|591 BO|592 GY|593 EC|594 GF|595 PY|596 MQ|597 SR|598 UY|599 BQ CW|60 MY|61 AU CC CX
62 ID|63 PH|64 NZ PN|65 SG|66 TH|670 TL|672 AQ HM NF|673 BN|674 NR|675 PG|676 TO|677 SB|678 VU
679 FJ|680 PW|681 WF|682 CK|683 NU|685 WS|686 KI|687 NC|688 TV|689 PF|690 TK|691 FM|692 MH|7 KZ RU
81 JP|82 KR|84 VN|850 KP|852 HK|853 MO|855 KH|856 LA|86 CN|880 BD|886 TW|90 TR|91 IN|92 PK|93 AF
94 LK|95 MM|960 MV|961 LB|962 JO|963 SY|964 IQ|965 KW|966 SA|967 YE|968 OM|970 PS|971 AE|972 IL
973 BH|974 QA|975 BT|976 MN|977 NP|98 IR|992 TJ|993 TM|994 AZ|995 GE|996 KG|998 UZ
"""
CALLING_CODES: dict[str, str] = {
    country: entry.split()[0]
    for entry in re.split(r"[|\n]", _CODES.strip())
    for country in entry.split()[1:]
}
# What is dialled before a number at home and left out from abroad; most have a 0.
TRUNK: dict[str, str] = {"RU": "8", "KZ": "8", "BY": "8", "HU": "06", "LT": "0"}
KEEPS_ZERO = frozenset({"IT", "SM", "VA"})
SHORTEST, LONGEST = 5, 15  # digits; E.164 has no longer ones

_EXTENSION = re.compile(r"(?i)\s*(?:ext|extension|x|;ext=|#)[.:\s=]*[0-9]{1,7}\s*$")


def international(said: str, country: str = "") -> str:
    """`+`, the country's code and the number, as E.164 writes it; empty: it cannot be told. A
    number that begins with + or 00 needs no `country` (alpha-2)."""
    plus, digits = _digits(said)
    if not plus and digits.startswith("00"):
        plus, digits = True, digits[2:]
    if not plus:
        code = CALLING_CODES.get(country, "")
        if not code or not digits:
            return ""
        digits = code + _without_trunk(digits, country, code)
    return f"+{digits}" if SHORTEST <= len(digits) <= LONGEST else ""


def at_home(said: str) -> str:
    """The digits as somebody of the same country says them, without the leading zeros; empty: there
    are too few."""
    plus, digits = _digits(said)
    if plus or digits.startswith("00"):
        return ""
    digits = digits.lstrip("0")
    return digits if SHORTEST <= len(digits) <= LONGEST else ""


def without_country(number: str) -> str:
    """An international number as `at_home` writes it."""
    code = next((number[1:size] for size in (4, 3, 2) if number[1:size] in _KNOWN), "")
    return number[1 + len(code) :].lstrip("0")


_KNOWN = frozenset(CALLING_CODES.values())


def _digits(said: str) -> tuple[bool, str]:
    """Whether it begins with a plus, and its digits, of whatever script, without an extension."""
    text = _EXTENSION.sub("", unicodedata.normalize("NFKC", said)).strip()
    text = re.sub(r"(?<=[0-9])\s*\(0\)", "", text)  # +44 (0)20: never both are dialled
    digits = "".join(str(unicodedata.digit(c)) for c in text if unicodedata.digit(c, -1) >= 0)
    return text.lstrip("( ").startswith("+"), digits


def _without_trunk(digits: str, country: str, code: str) -> str:
    if code == "1":
        return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
    if country in KEEPS_ZERO:
        return digits
    return digits.removeprefix(TRUNK.get(country, "0"))
