from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bulk.load_stock import plans, survey
from oms.contracts.csv_rows import escaped, unescaped
from oms.contracts.stock_csv import (
    LOCATION,
    BadHeader,
    Counted,
    Line,
    Refused,
    header,
    lines,
    read,
    written,
)
from oms.domain.jobs import JobFailed

COLUMNS = ("sku", "location", "on_hand", "reason")
PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[place : place + size] for place in range(0, len(content), size)]


@given(st.binary(max_size=200), st.integers(1, 50))
def test_lines_are_the_same_however_the_file_comes_in_pieces(content: bytes, size: int) -> None:
    found = list(lines(pieces(content, size)))

    expected = content.split(b"\n")
    expected = expected[:-1] if not expected[-1] else expected
    assert [line.content for line in found] == [line.removesuffix(b"\r") for line in expected]
    assert [line.number for line in found] == list(range(1, len(found) + 1))
    assert (found[-1].end if found else 0) == len(content)


@given(
    st.lists(st.sampled_from([b"A,X,1", b"", b"\r", b'"', b",,,", b"B,Y,22\r"]), max_size=40),
    st.booleans(),
    st.lists(st.integers(0, 300), max_size=12),
)
def test_every_line_is_in_one_slice_whatever_the_borders(
    body: list[bytes], ends: bool, borders: list[int]
) -> None:
    content = b"\n".join([b"sku,location,on_hand", *body]) + (b"\n" if ends else b"")
    source = lines([content])
    first = next(source)
    wanted = list(lines([content]))[1:]
    limits = [*sorted(b for b in borders if b < len(content)), len(content)]

    found: list[Line] = []
    try:
        for plan in plans(COLUMNS[:3], first, survey(COLUMNS[:3], source, limits)):
            part = content[plan.params["first"] : plan.params["end"]]
            found += lines([part], plan.params["line"], plan.params["first"])
    except JobFailed:
        found = wanted  # there is not one row in it
        assert not any(line.content.strip(b' \t\r,"') for line in wanted)

    assert found == wanted


@given(PRINTABLE)
def test_no_cell_that_is_written_begins_like_a_formula_and_all_are_read_back(cell: str) -> None:
    safe = str(escaped(cell))

    assert not safe.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))  # noqa: RUF001
    assert unescaped(safe) == cell


@pytest.mark.parametrize("cell", ["＝1+1", "＋1", "－1", "＠SUM(1)"])  # noqa: RUF001
def test_a_wide_sign_begins_a_formula_too(cell: str) -> None:
    assert (escaped(cell), unescaped(f"'{cell}")) == (f"'{cell}", cell)


@pytest.mark.parametrize("blank", ["\t", "\r"])
def test_a_refused_cell_is_no_formula_behind_a_blank_either(blank: str) -> None:
    refused = read(COLUMNS, Line(2, f'"{blank}=1+1",X,1,'.encode(), 20))

    assert isinstance(refused, Refused)
    assert written([refused.cells]).lstrip('"').startswith(f"'{blank}=")


@given(
    st.lists(
        st.tuples(
            PRINTABLE.map(str.strip).filter(bool),
            st.from_regex(LOCATION, fullmatch=True),
            st.integers(0, 10**9),
            PRINTABLE.map(str.strip),
        ),
        max_size=8,
    )
)
def test_what_is_written_is_read_again(rows: list[tuple[str, str, int, str]]) -> None:
    text = written([COLUMNS, *rows])
    head, *others = lines([text.encode()])

    found = [read(header(head), line) for line in others]

    counted = [row for row in found if isinstance(row, Counted)]
    assert [(c.sku, c.location, c.on_hand, c.reason) for c in counted] == rows


@given(st.binary(max_size=300))
def test_no_line_is_too_strange_to_be_refused(content: bytes) -> None:
    for line in lines([content]):
        found = read(COLUMNS, line)
        if isinstance(found, Refused):
            assert found.refusal
            list(csv.reader(io.StringIO(written([found.cells]))))


@pytest.mark.parametrize(
    "first",
    [
        b"sku,location,on_hand",
        b'\xef\xbb\xbf"on_hand","SKU",location',
        b"sku,location,on_hand,line",
    ],
)
def test_columns_come_in_any_order_and_case(first: bytes) -> None:
    assert set(header(Line(1, first, len(first)))) >= {"sku", "location", "on_hand"}


@pytest.mark.parametrize("first", [b"", b"sku", b"sku,location,on_hand,sku", b'"sku', b"\xff"])
def test_a_first_line_that_names_no_columns_is_refused(first: bytes) -> None:
    with pytest.raises(BadHeader):
        header(Line(1, first, len(first)))
