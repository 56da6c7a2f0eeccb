"""What every carrier's labels are: the same under the same key, and nobody's by their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.easypost_labels import EasyPostLabels, EasyPostReturns, client
from oms.adapters.carriers.label_carriers import LABELS, labels_of
from oms.adapters.carriers.labels import (
    SUFFIXES,
    Bought,
    HandOver,
    Label,
    LabelRefused,
    Labels,
    Parcel,
    ReturnLabels,
    Shipment,
    Voiding,
)
from oms.adapters.carriers.table_carrier import TableCarrier
from oms.adapters.web import Https
from oms.domain.contact import PostalAddress
from oms.domain.locations import Location, LocationKind
from oms.domain.network.rates import Card, Charge, Transit, Zone
from tests.adapters.carriers.easypost_server import Account, served
from tests.builders import NOW

ADA = PostalAddress("US", "Ada Byron", "", "1 Main St", "", "Austin", "TX", "78701", "+1 512 1")
RENO = PostalAddress("US", "Reno", region="NV", postal_code="89501")
PARCEL = Parcel("ret_a-1", "ret_a-1", ADA, RENO)
EMPTY = Parcel("ret_b-1", "ret_b-1", PostalAddress("US"), RENO)  # the customer was forgotten


@pytest.fixture(params=[*LABELS, "easypost"])
def returning(request: pytest.FixtureRequest, easypost: Account) -> ReturnLabels:
    """Each that has labels for parcels that come back."""
    code = str(request.param)
    return EasyPostReturns(bought_of(easypost)) if code == "easypost" else LABELS[code]


def test_the_same_key_is_the_same_label(returning: ReturnLabels) -> None:
    assert returning.create(PARCEL) == returning.create(PARCEL)


def test_another_key_is_another_number(returning: ReturnLabels) -> None:
    numbers = {
        returning.create(replace(PARCEL, key=f"ret_a-{number}")).tracking_number
        for number in range(20)
    }

    assert len(numbers) == 20


def test_a_label_can_be_printed_and_its_parcel_followed(returning: ReturnLabels) -> None:
    label = returning.create(PARCEL)

    assert label.carrier in CARRIERS
    assert label.media_type == {"pdf": "application/pdf"}[returning.suffix]
    assert label.document.startswith(b"%PDF-")
    assert 0 < len(label.tracking_number) <= 100


def test_what_is_told_of_a_label_names_nobody(returning: ReturnLabels) -> None:
    label = returning.create(PARCEL)

    for told in (label.tracking_number, label.qr):
        assert not any(word in told for word in ("Ada", "Byron", "Main", "78701", "512"))


def test_a_customer_of_whom_nothing_is_known_any_more_can_send_goods_back(
    returning: ReturnLabels,
) -> None:
    assert returning.create(EMPTY).tracking_number


def test_a_parcel_to_nowhere_is_refused(returning: ReturnLabels) -> None:
    with pytest.raises(LabelRefused):
        returning.create(replace(PARCEL, receiver=PostalAddress("")))


def test_a_name_in_any_writing_is_printed() -> None:
    parcel = replace(PARCEL, sender=replace(ADA, name="<b>陶 & Ада 한국"))

    assert LABELS["test"].create(parcel).document.startswith(b"%PDF-")


AUSTIN = Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US", "TX", "78701")
CARD = Card(
    "manual",
    3,
    zones=(Zone("near", "US"),),
    charges=(
        Charge("standard", "near", "USD", 500, 200, max_g=30_000),
        Charge("express", "near", "USD", 1_500, 300),
    ),
    transits=(Transit("standard", "near", 2, 4),),
)
BOX = Shipment("ful_a-1", RENO, ADA, AUSTIN, NOW, 2_500, 300, 200, 100)


@pytest.fixture
def easypost() -> Iterator[Account]:
    with served() as account:
        yield account


@pytest.fixture(params=["manual", "easypost"])
def labels(request: pytest.FixtureRequest, easypost: Account) -> Labels:
    """Each that sells labels: from a card, and from EasyPost."""
    if request.param == "manual":
        return TableCarrier(CARD)
    return bought_of(easypost)


def bought_of(account: Account) -> EasyPostLabels:
    web = Https(private=True)
    return EasyPostLabels(lambda: client("EZTK", f"{account.address}/v2"), lambda: web)


def kept(label: Label, at: datetime = NOW) -> Bought:
    return Bought("k", label.label_id, label.tracking_number, label.service, at, 2_500)


def cheapest(labels: Labels) -> str:
    return labels.rates(BOX)[0].service


def test_rates_are_told_the_cheapest_first_in_whole_minor_units(labels: Labels) -> None:
    rates = labels.rates(BOX)

    assert [rate.amount for rate in rates] == sorted(rate.amount for rate in rates)
    assert {rate.carrier for rate in rates} == {labels.code}
    assert {rate.currency for rate in rates} == {"USD"}
    assert len({rate.rate_id for rate in rates}) == len(rates)


def test_a_label_costs_what_its_rate_said(labels: Labels) -> None:
    for rate in labels.rates(BOX):
        label = labels.buy(BOX, rate.service, f"k-{rate.service}")
        assert (label.service, label.cost, label.currency) == (
            rate.service,
            rate.amount,
            rate.currency,
        )


def test_a_bought_label_can_be_printed_on_both_printers_and_followed(labels: Labels) -> None:
    label = labels.buy(BOX, cheapest(labels), "k")

    assert label.carrier in CARRIERS
    assert label.carrier == labels.code
    assert SUFFIXES[label.media_type] == "pdf"
    assert label.document.startswith(b"%PDF-")
    assert label.zpl.startswith(b"^XA")
    assert label.zpl.endswith(b"^XZ")
    assert 0 < len(label.tracking_number) <= 100


def test_a_label_is_bought_once_under_its_key(labels: Labels) -> None:
    service = cheapest(labels)
    prepared = labels.prepare(BOX, "k")
    found = {labels.buy(BOX, service, "k", prepared) for _ in range(3)}
    found |= {labels.buy(BOX, service, "k")}

    assert len(found) == 1
    assert labels.prepare(BOX, "k") == prepared


def test_labels_of_other_keys_are_others(labels: Labels) -> None:
    service = cheapest(labels)
    bought = [labels.buy(BOX, service, f"k-{number}") for number in range(5)]

    assert len({label.tracking_number for label in bought}) == 5
    assert len({label.label_id for label in bought}) == 5


def test_a_service_that_nobody_offers_is_refused(labels: Labels) -> None:
    with pytest.raises(LabelRefused):
        labels.buy(BOX, "by pigeon", "k")


def test_a_label_is_voided_once(labels: Labels) -> None:
    label = kept(labels.buy(BOX, cheapest(labels), "k"))

    first, again = labels.void(label, NOW), labels.void(label, NOW)

    assert first.outcome is Voiding.VOIDED
    assert again.outcome in (Voiding.VOIDED, Voiding.ALREADY)


def test_a_manifest_of_the_same_parcels_is_the_same(labels: Labels) -> None:
    bought = tuple(kept(labels.buy(BOX, cheapest(labels), f"k-{each}")) for each in "ab")
    hand_over = HandOver("man_1", labels.code, AUSTIN, date(2026, 3, 2), 1, bought)

    first, again = labels.manifest(hand_over), labels.manifest(hand_over)

    assert first == again
    assert first.document.startswith(b"%PDF-")
    assert first.manifest_id


def test_what_is_remembered_of_a_label_names_nobody(labels: Labels) -> None:
    label = labels.buy(BOX, cheapest(labels), "k")

    told = (label.tracking_number, label.label_id, label.service, label.qr)
    assert not any(word in each for each in told for word in ("Ada", "Byron", "Main", "78701"))


def test_labels_are_had_of_providers_and_of_whoever_has_a_card() -> None:
    empty = Card("ups")

    found = labels_of(["easypost", "manual", "ups", "dhl"], [CARD, empty])

    assert found.keys() == {"easypost", "manual"}


def test_a_carrier_without_a_card_or_a_line_sells_none() -> None:
    assert labels_of(["manual"], []) == {}


def test_a_label_of_a_card_is_voided_until_its_deadline() -> None:
    labels = TableCarrier(CARD)
    label = kept(labels.buy(BOX, "standard", "k"))

    assert labels.void(label, NOW + timedelta(days=14)).outcome is Voiding.VOIDED
    late = labels.void(label, NOW + timedelta(days=14, seconds=1))
    assert late.outcome is Voiding.REFUSED
    assert "14 days" in late.why
