"""The little language of templates: no code, nothing unescaped, bounded."""

from __future__ import annotations

from contextlib import suppress
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.notices.templates import (
    MAX_DEPTH,
    MAX_OUTPUT,
    MAX_SOURCE,
    BadTemplate,
    parse,
    render,
    unknown,
)

KNOWN = {"name": None, "items": frozenset({"sku"})}


def rendered(source: str, **values: object) -> str:
    return render(parse(source), values, escape)  # type: ignore[arg-type]


def test_a_value_stands_for_its_name_and_nothing_for_none() -> None:
    assert rendered("Dear {{name}}{{ other }}!", name="Ada") == "Dear Ada!"


def test_a_section_is_there_for_a_value_and_its_inverse_for_none() -> None:
    source = "{{#name}}yes {{name}}{{/name}}{{^name}}no{{/name}}"

    assert [rendered(source, name=each) for each in ("Ada", "", False)] == ["yes Ada", "no", "no"]


def test_a_section_is_repeated_for_each_row_and_rows_see_what_is_around_them() -> None:
    rows = [{"sku": "A"}, {"sku": "B", "name": "own"}]

    assert rendered("{{#items}}{{sku}}:{{name}} {{/items}}", items=rows, name="outer") == (
        "A:outer B:own "
    )


@given(st.text())
def test_every_value_is_escaped(value: str) -> None:
    said = rendered("<p>{{name}}</p>", name=value)

    assert unescape(said.removeprefix("<p>").removesuffix("</p>")) == unescape(escape(value))
    assert said.count("<") == 2


@given(st.text().filter(lambda text: "{{" not in text and "}}" not in text))
def test_text_without_braces_is_left_as_it_is(text: str) -> None:
    assert render(parse(text), {}) == text


@given(st.text(alphabet="{}#^/& a>", max_size=40))
def test_nothing_that_is_written_breaks_more_than_itself(source: str) -> None:
    with suppress(BadTemplate):
        render(parse(source), {"a": "x"})


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("{{{name}}}", "'{{{name}}}' is nothing"),
        ("{{& name}}", "nothing that a template can say"),
        ("{{> file}}", "nothing that a template can say"),
        ("{{name.upper}}", "nothing that a template can say"),
        ("{{name()}}", "nothing that a template can say"),
        ("{{__class__}}", "nothing that a template can say"),
        ("{{=<% %>=}}", "nothing that a template can say"),
        ("{{#items}}x", "{{#items}} is not closed"),
        ("x{{/items}}", "{{/items}} closes nothing"),
        ("{{#items}}{{/name}}", "{{/name}} closes {{#items}}"),
        ("{{#a}}" * (MAX_DEPTH + 1), "nested deeper than 5"),
        ("x" * (MAX_SOURCE + 1), "at most 60,000 are read"),
    ],
)
def test_what_cannot_be_read_is_told(source: str, wrong: str) -> None:
    with pytest.raises(BadTemplate) as told:
        parse(source)

    assert wrong in str(told.value)


def test_what_writes_too_much_is_stopped() -> None:
    rows = [{"sku": "x" * 1000}] * 50

    with pytest.raises(BadTemplate, match="writes more than"):
        rendered("{{#items}}{{#items}}{{sku}}{{/items}}{{/items}}", items=rows)
    assert MAX_OUTPUT < 50 * 50 * 1000


def test_unknown_names_are_told_each_once_and_lists_where_a_value_must_stand() -> None:
    source = "{{name}}{{nome}}{{nome}}{{items}}{{#items}}{{sku}}{{/items}}{{sku}}"

    assert list(unknown(parse(source), KNOWN)) == [
        "nome is no variable of this notice",
        "items is a list: write {{#items}}…{{/items}}",
        "sku is no variable of this notice",
    ]
