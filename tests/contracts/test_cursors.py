from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor, sort_key

KEYS = st.dictionaries(
    st.text(st.characters(codec="utf-8")),
    st.text(st.characters(codec="utf-8"), max_size=50),
    min_size=1,
    max_size=4,
)


@given(KEYS)
def test_a_cursor_comes_back_as_the_key_it_was(key: dict[str, str]) -> None:
    cursor = encode_cursor(key)
    if len(cursor) <= 2_000:
        assert decode_cursor(cursor) == key


@given(st.text())
def test_no_garbage_is_a_surprise(cursor: str) -> None:
    try:
        decode_cursor(cursor)
    except BadCursor:
        return


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"a":1}', '{"a":"\\ud800"}', "null", "{", '{ "a":"b"}']
)
def test_what_no_listing_gave_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


@pytest.mark.parametrize("given", ["", "x" * 1_025, "é" * 513])
def test_what_no_table_takes_as_a_sort_key_is_no_place_to_go_on(given: str) -> None:
    with pytest.raises(BadCursor):
        sort_key(given)
    assert sort_key("x" * 1_024) == "x" * 1_024
