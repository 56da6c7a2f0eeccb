from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.money import spread, unit_share
from tests.builders import line


@given(st.integers(0, 10**12), st.integers(1, 500), st.data())
def test_any_partition_of_the_units_adds_up_to_the_amount(
    amount: int, quantity: int, data: st.DataObject
) -> None:
    cuts = sorted({0, quantity, *data.draw(st.lists(st.integers(0, quantity), max_size=8))})

    parts = [unit_share(amount, quantity, a, b - a) for a, b in pairwise(cuts)]

    assert sum(parts) == amount


@given(st.integers(0, 10**6), st.integers(1, 200))
def test_no_two_units_differ_by_more_than_one_and_the_first_have_more(
    amount: int, quantity: int
) -> None:
    units = [unit_share(amount, quantity, i, 1) for i in range(quantity)]

    assert max(units) - min(units) <= 1
    assert units == sorted(units, reverse=True)


def test_a_line_of_eighty_thousand_units_is_split_without_a_list() -> None:
    assert unit_share(168_469_60, 80_995, 0, 80_995) == 168_469_60
    assert unit_share(168_469_60, 80_995, 80_994, 1) in (207, 208)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60), st.data())
def test_a_spread_adds_up_and_never_takes_more_than_there_is(
    weights: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(weights)))

    shares = spread(amount, weights)

    assert sum(shares) == amount
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))


@given(
    st.integers(1, 60),
    st.integers(0, 5000),
    st.integers(0, 10**5),
    st.integers(0, 10**5),
    st.data(),
)
def test_no_unit_is_ever_sold_below_nothing_however_discounts_stack(
    quantity: int, unit_price: int, tax: int, seed: int, data: st.DataObject
) -> None:
    gross = quantity * unit_price
    own = data.draw(st.integers(0, gross))
    share = data.draw(st.integers(0, gross - own))
    sold = line(quantity=quantity, unit_price=unit_price, discount=own, tax=tax)
    sold = replace(sold, order_discount=share)

    units = [sold.payable(i, 1, tax_included=True) for i in range(quantity)]
    shares = [sold.discount_shares(i, 1) for i in range(quantity)]

    assert min(units) >= 0
    assert sum(units) == gross - own - share
    assert all(part >= 0 for unit in shares for _, part in unit)
    assert [unit_price - sum(part for _, part in unit) for unit in shares] == units
    assert sum(dict(unit)["order"] for unit in shares) == share


def test_three_units_at_ten_less_one_are_refunded_as_they_were_paid() -> None:
    sold = line(quantity=3, unit_price=1000, discount=100)

    assert [sold.payable(i, 1, tax_included=False) for i in range(3)] == [966, 967, 967]
