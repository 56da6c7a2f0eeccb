"""An export as a page that a person can read: the same as its JSON, word for word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1b1b}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:"
    "1px solid #ccc}details{margin:.4rem 0 .4rem .6rem}summary{cursor:pointer}dl{display:grid;"
    "grid-template-columns:minmax(9rem,max-content) 1fr;gap:.15rem 1rem;margin:.2rem 0 .8rem}"
    "dt{color:#666}dd{margin:0;overflow-wrap:anywhere}@media print{details>*{display:block}}"
    "@media(max-width:40rem){dl{display:block}dd{margin:0 0 .4rem .6rem}details{margin-left:0}}"
)
EMPTY: tuple[Any, ...] = (None, "", [], {})
TITLES = ("order_id", "number", "inquiry_id", "return_id", "sku", "type", "what", "value", "name")


def page(gathered: Mapping[str, Any]) -> str:
    sections = "".join(_section(name, value) for name, value in gathered.items())
    title = "What we keep about you"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{title}</h1>{sections}</body></html>"
    )


def _section(name: str, value: Any) -> str:
    return f"<h2>{_words(name)}</h2>{_shown(value) or '<p>Nothing.</p>'}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return _facts(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_listed(each, place) for place, each in enumerate(value, 1))
    return "" if value in EMPTY else escape(str(value))


def _facts(value: Mapping[str, Any]) -> str:
    pairs = "".join(_pairs(value))
    return f"<dl>{pairs}</dl>" if pairs else ""


def _pairs(value: Mapping[str, Any]) -> Iterator[str]:
    for name, each in value.items():
        if shown := _shown(each):
            yield f"<dt>{_words(name)}</dt><dd>{shown}</dd>"


def _listed(value: Any, place: int) -> str:
    if not isinstance(value, Mapping):
        return f"<div>{_shown(value)}</div>"
    title = next((str(value[name]) for name in TITLES if value.get(name)), str(place))
    is_open = " open" if place == 1 else ""
    return f"<details{is_open}><summary>{escape(title)}</summary>{_facts(value)}</details>"


def _words(name: str) -> str:
    said = name.replace("_", " ")
    return escape(said[:1].upper() + said[1:])
