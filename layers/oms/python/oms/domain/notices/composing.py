"""From a template and an order's values to what is sent.

Built-in templates are composed from the words of a language; a merchant's own come as they were
saved. HTML is for mail clients: tables, inline styles, at most 600 pixels, no script, no style
sheet or picture that must be fetched. The plain text says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape

from oms.domain.notices.brands import Brand
from oms.domain.notices.kinds import ITEMS, KINDS, PAGE, Block
from oms.domain.notices.templates import Values, parse, render
from oms.domain.notices.wording import TEXTS, language_of

PREVIEWED = 110  # characters that a list of mails shows beside the subject
INK, SOFT, LINE, PAPER, GROUND = "#1b1f23", "#57606a", "#d8dee4", "#ffffff", "#f4f5f7"
DARK_INK, DARK_SOFT, DARK_LINE = "#e6edf3", "#9aa5b1", "#30363d"
DARK_PAPER, DARK_GROUND = "#161b22", "#0d1117"
FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
TABLE = '<table role="presentation" cellpadding="0" cellspacing="0" border="0"'


@dataclass(frozen=True, slots=True)
class Sources:
    """Templates of one notice; `html` is what stands between the brand's head and foot. Without
    `sms` no text message is sent."""

    subject: str
    html: str
    text: str
    sms: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    subject: str
    text: str
    html: str
    sms: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around a notice: `unsubscribe` is the address of the page where its reader chooses
    what to hear of, or empty."""

    brand: Brand
    locale: str
    unsubscribe: str = ""


@cache
def built_in(event: str, language: str) -> Sources:
    kind, words = KINDS[event], TEXTS[language]
    subject = words[f"{kind.words}.subject"]
    blocks = [*_greeting(), *kind.blocks]
    return Sources(
        subject,
        "\n".join(_guarded(each, _html(each, words)) for each in blocks) + "\n",
        "".join(_guarded(each, _text(each, words) + "\n\n") for each in blocks),
        "{{brand_name}}: " + subject + "{{#page}} {{page}}{{/page}}",
    )


def _greeting() -> Iterator[Block]:
    yield Block("dear", ("customer_name",))
    yield Block("hello", ("^customer_name",))


def _guarded(block: Block, said: str) -> str:
    for guard in () if block.text == ITEMS else block.given:
        name = guard.removeprefix("^")
        said = f"{{{{{'^' if guard != name else '#'}{name}}}}}{said}{{{{/{name}}}}}"
    return said


def _text(block: Block, words: Mapping[str, str]) -> str:
    if block.text == ITEMS:
        more = f"{{{{#more_items}}}}  {words['more']}\n{{{{/more_items}}}}"
        return "{{#items}}  {{quantity}} × {{sku}}\n{{/items}}" + more
    if block.text == PAGE:
        return words[PAGE] + ": {{page}}"
    return words[block.text]


def _html(block: Block, words: Mapping[str, str]) -> str:
    if block.text == ITEMS:
        return _items(words)
    if block.text == PAGE:
        return _button(words[PAGE])
    return f'<p style="margin:0 0 16px 0;line-height:24px">{_escaped(words[block.text])}</p>'


def _items(words: Mapping[str, str]) -> str:
    cell = f"padding:10px 0;border-bottom:1px solid {LINE};line-height:22px"
    count = f"{cell};width:64px;white-space:nowrap;vertical-align:top;font-weight:600"
    row = (
        f'<tr><td class="line" style="{count}">{{{{quantity}}}} ×</td>'
        f'<td class="line" style="{cell};word-break:break-word">{{{{sku}}}}</td></tr>'
    )
    more = f'<tr><td colspan="2" class="line" style="{cell}">{_escaped(words["more"])}</td></tr>'
    inside = f"{{{{#items}}}}{row}{{{{/items}}}}{{{{#more_items}}}}{more}{{{{/more_items}}}}"
    return f'{TABLE} width="100%" style="margin:0 0 20px 0">{inside}</table>'


def _button(label: str) -> str:
    link = (
        "display:inline-block;padding:13px 24px;font-weight:600;line-height:22px;"
        "color:{{brand_ink}};text-decoration:none;border-radius:6px;"
        "background-color:{{brand_colour}}"
    )
    return (
        f'{TABLE} style="margin:8px 0 8px 0"><tr><td bgcolor="{{{{brand_colour}}}}" '
        f'style="border-radius:6px"><a href="{{{{page}}}}" style="{link}">{_escaped(label)}</a>'
        "</td></tr></table>"
    )


def _escaped(text: str) -> str:
    return escape(text, quote=False)


def compose(sources: Sources, values: Values, frame: Frame) -> Composed:
    said = {**values, **_branded(frame.brand)}
    subject = _one_line(render(parse(sources.subject), said))
    text = _tidy(render(parse(sources.text), said))
    inside = render(parse(sources.html), said, escape)
    return Composed(
        subject,
        "\n\n".join([text, *_foot_lines(frame)]) + "\n",
        _document(subject, _preheader(text), inside, frame),
        _one_line(render(parse(sources.sms), said)),
    )


def _branded(brand: Brand) -> dict[str, str]:
    return {
        "brand_name": brand.title,
        "brand_colour": brand.colour,
        "brand_ink": brand.ink,
        "support": brand.support,
    }


def _one_line(text: str) -> str:
    """A line break in a subject would begin another header."""
    return " ".join(text.split()).removeprefix(": ")


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _preheader(text: str) -> str:
    """What comes after the greeting."""
    _, _, rest = text.partition("\n\n")
    return _one_line(rest)[:PREVIEWED]


def _foot_lines(frame: Frame) -> Iterator[str]:
    words = TEXTS[language_of(frame.locale)]
    if frame.brand.support:
        yield words["questions"].replace("{{support}}", frame.brand.support)
    if frame.brand.title or frame.brand.address:
        yield ", ".join(filter(None, (frame.brand.title, frame.brand.address)))
    if frame.unsubscribe:
        yield f"{words['stop']} {words['unsubscribe']}: {frame.unsubscribe}"


def _document(subject: str, preheader: str, inside: str, frame: Frame) -> str:
    page = f"{FONT};font-size:16px;color:{INK};background-color:{GROUND}"
    return (
        f'<!doctype html><html lang="{escape(frame.locale)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        '<meta name="format-detection" content="telephone=no,date=no,address=no,email=no">'
        f"<title>{escape(subject)}</title><style>{DARK}</style></head>"
        f'<body class="ground" style="margin:0;padding:0;{page}">'
        '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;'
        f'line-height:1px;opacity:0">{escape(preheader)}</div>'
        f'{TABLE} width="100%" class="ground" bgcolor="{GROUND}"><tr>'
        '<td align="center" style="padding:16px 8px">'
        '<!--[if mso]><table role="presentation" width="600"><tr><td><![endif]-->'
        f'{TABLE} width="100%" class="paper" bgcolor="{PAPER}" style="max-width:600px;'
        f'background-color:{PAPER};border-radius:10px;border-top:5px solid {frame.brand.colour}">'
        f"{_head(frame.brand)}{_body(subject, inside)}</table>"
        f'{TABLE} width="100%" style="max-width:600px">{_foot(frame)}</table>'
        "<!--[if mso]></td></tr></table><![endif]--></td></tr></table></body></html>"
    )


DARK = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "@media(prefers-color-scheme:dark){"
    f".ground{{background-color:{DARK_GROUND}!important;color:{DARK_INK}!important}}"
    f".paper{{background-color:{DARK_PAPER}!important}}"
    f".ink{{color:{DARK_INK}!important}}.soft{{color:{DARK_SOFT}!important}}"
    f".line{{border-color:{DARK_LINE}!important}}}}"
)


def _head(brand: Brand) -> str:
    if not (brand.title or brand.logo):
        return ""
    title = escape(brand.title)
    shown = f'<strong style="font-size:18px">{title}</strong>'
    if brand.logo:
        shown = (
            f'<img src="{escape(brand.logo)}" alt="{title}" height="40" style="display:block;'
            'border:0;height:40px;max-width:220px;font-size:18px;font-weight:600">'
        )
    style = f"padding:24px 24px 0 24px;color:{INK};{FONT}"
    return f'<tr><td class="ink" style="{style}">{shown}</td></tr>'


def _body(subject: str, inside: str) -> str:
    title = f"margin:0 0 20px 0;font-size:22px;line-height:30px;font-weight:700;color:{INK};{FONT}"
    style = f"padding:24px;color:{INK};font-size:16px;word-break:break-word;{FONT}"
    return (
        f'<tr><td class="ink" style="{style}"><h1 class="ink" style="{title}">{escape(subject)}'
        f"</h1>{inside}</td></tr>"
    )


def _foot(frame: Frame) -> str:
    words = TEXTS[language_of(frame.locale)]
    lines = [escape(each) for each in _foot_lines(frame)]
    if frame.unsubscribe:
        link = f'<a href="{escape(frame.unsubscribe)}" class="soft" style="color:{SOFT}">'
        lines[-1] = f"{words['stop']} {link}{words['unsubscribe']}</a>"
    said = "".join(f'<p style="margin:0 0 8px 0">{line}</p>' for line in lines)
    style = f"padding:16px 24px;font-size:14px;line-height:20px;color:{SOFT};{FONT}"
    return f'<tr><td class="soft" style="{style}">{said}</td></tr>' if said else ""
