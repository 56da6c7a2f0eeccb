"""What a card makes of a parcel, and a label that scanners and printers read."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.carriers.label_paper import manifest_pages
from oms.adapters.carriers.labels import HandOver, LabelRefused, Rate
from oms.adapters.carriers.table_carrier import (
    TableCarrier,
    check_digits,
    is_number,
    manifest_number,
    tracking_number,
)
from oms.adapters.carriers.zpl import escaped, zpl_label
from oms.domain.contact import PostalAddress
from oms.domain.network.rates import Charge
from tests.adapters.carriers.bars import WIDTHS, said, seen
from tests.adapters.carriers.test_labels import ADA, AUSTIN, BOX, CARD, kept
from tests.builders import NOW

FIELD = re.compile(r"\^FO(\d+),(\d+)\^A0N,(\d+),\d+\^FH_\^FD(.*)\^FS")
LABELS = TableCarrier(CARD)


def test_a_parcel_costs_what_the_card_says_for_its_weight() -> None:
    standard, express = LABELS.rates(BOX)

    assert (standard.amount, express.amount) == (500 + 300, 1_500 + 450)
    assert standard.rate_id == "manual.3.standard"
    assert standard.deliver_by is not None
    assert (express.days, express.deliver_by) == (None, None)


def test_what_the_location_costs_us_is_not_the_carriers() -> None:
    dear = replace(AUSTIN, fixed_cost=5_000, unit_cost=700)

    assert LABELS.rates(replace(BOX, origin=dear)) == LABELS.rates(BOX)


def test_a_light_parcel_that_is_large_costs_what_its_size_weighs() -> None:
    large = replace(BOX, weight_g=100, length_mm=500, width_mm=400, height_mm=300)

    assert LABELS.rates(large)[0].amount == 500 + 200 * 11  # 60,000 cm³ count as 12 kg


def test_a_location_sells_the_services_that_it_offers() -> None:
    only = replace(BOX, origin=replace(AUSTIN, methods=("express",)))

    assert [rate.service for rate in LABELS.rates(only)] == ["express"]
    with pytest.raises(LabelRefused, match="does not offer"):
        LABELS.buy(only, "standard", "k")


@pytest.mark.parametrize(
    ("box", "why"),
    [
        (replace(BOX, weight_g=30_001), "too heavy"),
        (replace(BOX, receiver=PostalAddress("DE", "Ada")), "does not go there"),
    ],
)
def test_what_the_carrier_does_not_take_is_refused(box: object, why: str) -> None:
    with pytest.raises(LabelRefused, match=why):
        LABELS.buy(box, "standard", "k")  # type: ignore[arg-type]


def test_what_the_carrier_does_not_take_has_no_rate() -> None:
    assert [rate.service for rate in LABELS.rates(replace(BOX, weight_g=30_001))] == ["express"]


def test_yen_are_told_without_decimals() -> None:
    yen = replace(CARD, charges=(Charge("standard", "near", "JPY", 800),))

    (rate,) = TableCarrier(yen).rates(BOX)

    assert rate == Rate(
        "manual", "standard", 800, "JPY", rate.days, rate.deliver_by, "manual.3.standard"
    )


@given(st.text(max_size=60), st.integers(0, 19), st.integers(1, 9))
def test_a_wrong_digit_of_a_tracking_number_is_found(key: str, place: int, more: int) -> None:
    number = tracking_number("manual", key)
    digits = list(number[2:])
    digits[place] = str((int(digits[place]) + more) % 10)

    assert is_number(number)
    assert not is_number("BT" + "".join(digits))


@given(st.text(max_size=60), st.integers(0, 18))
def test_two_digits_that_changed_places_are_found(key: str, place: int) -> None:
    number = tracking_number("manual", key)
    a, b = number[2 + place], number[3 + place]
    swapped = number[: 2 + place] + b + a + number[4 + place :]

    assert is_number(swapped) == (a == b)


def test_the_check_digits_are_those_of_the_standard() -> None:
    assert check_digits("794") == "44"  # the example of ISO 7064 for MOD 97-10


def test_carriers_do_not_share_numbers() -> None:
    assert tracking_number("manual", "k") != tracking_number("test", "k")


def test_the_bars_of_the_standard_are_each_eleven_modules_wide() -> None:
    assert len(set(WIDTHS)) == len(WIDTHS) == 107
    assert {sum(map(int, widths)) for widths in WIDTHS} == {11}


@pytest.mark.parametrize("key", ["a", "b", "c", "d"])
def test_a_scanner_reads_the_tracking_number_off_the_page(key: str) -> None:
    label = LABELS.buy(BOX, "standard", key)

    assert said(seen(label.document)) == label.tracking_number


def test_a_scanner_reads_the_number_however_long_the_address_is() -> None:
    lines = dict.fromkeys(("name", "company", "line1", "line2", "city"), "very long " * 20)
    long = PostalAddress("US", **lines, postal_code="78701")
    label = LABELS.buy(replace(BOX, sender=long, receiver=long), "standard", "k")

    assert said(seen(label.document)) == label.tracking_number
    assert label.document.count(b"/Type /Page\n") == 1


def test_a_name_in_any_writing_is_printed_on_a_shipping_label() -> None:
    box = replace(BOX, receiver=replace(ADA, name="<b>陶 & Ада 한국"))

    label = LABELS.buy(box, "standard", "k")

    assert label.document.startswith(b"%PDF-")
    assert "<b>陶 & Ада 한국".encode() in label.zpl


def test_a_scanner_reads_the_manifest_off_its_page() -> None:
    bought = tuple(kept(LABELS.buy(BOX, "standard", str(each))) for each in range(3))
    hand_over = HandOver("man_abcdefghij", "manual", AUSTIN, NOW.date(), 7, bought)

    assert said(seen(manifest_pages(hand_over, "n"))) == "man_abcdefghij"
    assert manifest_number(hand_over) == f"AUSTIN-{NOW:%Y%m%d}-007"


def test_a_label_printer_is_told_one_label_with_the_number_as_code_128() -> None:
    label = LABELS.buy(BOX, "standard", "k")
    zpl = label.zpl.decode()

    assert zpl.count("^XA") == zpl.count("^XZ") == 1
    assert zpl.startswith("^XA^CI28")
    assert f"^BCN,240,N,N,N,A^FD{label.tracking_number}^FS" in zpl
    assert 178 * 3 + 2 * 10 * 3 < 812  # its modules and quiet zones on four inches


texts = st.text(max_size=200)


@given(texts, texts, texts)
def test_no_address_says_anything_to_the_printer(name: str, line: str, city: str) -> None:
    """Beside the commands of a label without an address there are only fields of text."""
    to = PostalAddress("US", name, "", line, "", city, "TX", "^XZ~JR")
    zpl = zpl_label(replace(BOX, receiver=to), "manual", "standard", "BT1").decode()

    rest = [each for each in zpl.split("\n") if not FIELD.fullmatch(each)]
    assert rest == [
        "^XA^CI28^PW812^LL1218^LH0,0",
        "^FO40,220^GB732,2,2^FS",
        "^FO40,620^GB732,2,2^FS",
        "^FO40,760^BY3^BCN,240,N,N,N,A^FDBT1^FS",
        "^XZ",
    ]
    for found in FIELD.finditer(zpl):
        assert not set("^~") & set(found[4])
        assert found[4].isprintable()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=80))
def test_a_field_says_what_it_was_given(text: str) -> None:
    if text.isprintable():
        octets = re.sub(
            rb"_([0-9A-F]{2})", lambda m: bytes.fromhex(m[1].decode()), escaped(text).encode()
        )
        assert octets.decode() == text


@given(texts)
def test_nothing_is_printed_over_the_bars(name: str) -> None:
    to = PostalAddress("US", name, name, name, name, name, "TX", "78701")
    zpl = zpl_label(replace(BOX, receiver=to, sender=to), "manual", "standard", "BT1").decode()

    for found in FIELD.finditer(zpl):
        top, size = int(found[2]), int(found[3])
        assert top + size <= 1_218
        assert not (760 - size < top < 1_000)
