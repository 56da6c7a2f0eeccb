"""Templates: the part of Mustache that has no code in it.

    {{name}}               the value, escaped where the text is HTML
    {{#name}}…{{/name}}    for each row of a list, or once if there is a value
    {{^name}}…{{/name}}    only if there is none

No call, no attribute, no other file, no text that is not escaped. A row's own names come before
those around it. What a template may name is checked when it is saved, how deep and how long it is
when it is read, how much it writes when it is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from oms.domain.errors import OmsError

TAG = re.compile(r"(?<!\{)\{\{\s*([#^/]?)\s*([a-z][a-z0-9_]{0,59})\s*\}\}(?!\})")
BRACES = re.compile(r"\{\{|\}\}")
MAX_SOURCE = 60_000  # characters
MAX_DEPTH = 5
MAX_OUTPUT = 200_000  # characters
SHOWN = 40  # of what is wrong, in an error

Value = str | bool | Sequence[Mapping[str, "Value"]]
Values = Mapping[str, Value]
Escape = Callable[[str], str]
# What is known: the names of a list's rows, or None for a value that is no list.
Known = Mapping[str, frozenset[str] | None]


class BadTemplate(OmsError):
    """It cannot be read, or writes too much."""


@dataclass(frozen=True, slots=True)
class Named:
    name: str


@dataclass(frozen=True, slots=True)
class Section:
    """`inside` stands there for a value, or, `inverted`, for the want of one."""

    name: str
    inverted: bool
    inside: Template


Template = tuple[str | Named | Section, ...]


def parse(source: str) -> Template:
    if len(source) > MAX_SOURCE:
        raise BadTemplate(f"it has {len(source):,} characters; at most {MAX_SOURCE:,} are read")
    tokens = list(_tokens(source))
    nodes, rest = _nodes(tokens, 0, "", 0)
    assert rest == len(tokens)
    return nodes


def _tokens(source: str) -> Iterator[str | tuple[str, str]]:
    last = 0
    for tag in TAG.finditer(source):
        yield _literal(source[last : tag.start()])
        yield (tag[1], tag[2])
        last = tag.end()
    yield _literal(source[last:])


def _literal(text: str) -> str:
    if found := BRACES.search(text):
        raise BadTemplate(f"{text[found.start() :][:SHOWN]!r} is nothing that a template can say")
    return text


def _nodes(
    tokens: Sequence[str | tuple[str, str]], place: int, opened: str, depth: int
) -> tuple[Template, int]:
    """Up to what closes `opened`, and the place behind that."""
    found: list[str | Named | Section] = []
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if isinstance(token, str):
            found += [token] if token else []
        elif token[0] == "":
            found.append(Named(token[1]))
        elif token[0] == "/":
            return _closed(found, token[1], opened), place
        else:
            inside, place = _nodes(tokens, place, token[1], _deeper(depth))
            found.append(Section(token[1], token[0] == "^", inside))
    return _closed(found, "", opened), place


def _closed(found: list[str | Named | Section], closing: str, opened: str) -> Template:
    if closing == opened:
        return tuple(found)
    if not closing:
        raise BadTemplate(f"{{{{#{opened}}}}} is not closed")
    raise BadTemplate(f"{{{{/{closing}}}}} closes {f'{{{{#{opened}}}}}' if opened else 'nothing'}")


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise BadTemplate(f"sections are nested deeper than {MAX_DEPTH}")
    return depth + 1


def unknown(template: Template, known: Known) -> Iterator[str]:
    """What it names that there is not, and lists that stand where a value must; each once."""
    return iter(dict.fromkeys(_unknown(template, known)))


def _unknown(template: Template, known: Known) -> Iterator[str]:
    for node in template:
        if isinstance(node, str):
            continue
        if node.name not in known:
            yield f"{node.name} is no variable of this notice"
        elif isinstance(node, Named) and known[node.name] is not None:
            yield f"{node.name} is a list: write {{{{#{node.name}}}}}…{{{{/{node.name}}}}}"
        if isinstance(node, Section):
            rows = known.get(node.name) or frozenset()
            yield from _unknown(node.inside, {**known, **dict.fromkeys(rows)})


def render(template: Template, values: Values, escape: Escape = str) -> str:
    pieces: list[str] = []
    size = 0
    for piece in _pieces(template, values, escape):
        size += len(piece)
        if size > MAX_OUTPUT:
            raise BadTemplate(f"it writes more than {MAX_OUTPUT:,} characters")
        pieces.append(piece)
    return "".join(pieces)


def _pieces(template: Template, values: Values, escape: Escape) -> Iterator[str]:
    for node in template:
        if isinstance(node, str):
            yield node
        elif isinstance(node, Named):
            yield escape(str(values.get(node.name) or ""))
        elif node.inverted:
            yield from () if values.get(node.name) else _pieces(node.inside, values, escape)
        else:
            for row in _rows(values.get(node.name)):
                yield from _pieces(node.inside, {**values, **row}, escape)


def _rows(value: Value | None) -> Sequence[Values]:
    if isinstance(value, str | bool) or value is None:
        return ({},) if value else ()
    return value
