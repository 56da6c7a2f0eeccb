"""EasyPost, by its own library, over a connection that breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from oms.adapters.carriers.easypost_labels import EasyPostLabels, EasyPostReturns
from oms.adapters.carriers.labels import (
    PNG,
    HandOver,
    LabelRefused,
    NotConnected,
    Parcel,
    Unanswered,
    Voiding,
)
from oms.adapters.web import Answer
from oms.domain.contact import PostalAddress
from tests.adapters.carriers.easypost_server import PNG_BYTES, Account, served
from tests.adapters.carriers.test_labels import ADA, AUSTIN, BOX, bought_of, kept
from tests.builders import NOW

REAL = Path(__file__).parents[4] / "shared" / "data" / "C_carriers" / "easypost"
PRIORITY = "USPS.Priority"
LOST = {"create": 1, "retrieve": 4, "buy": 1, "label": 4}  # the library asks four times, to read


@pytest.fixture
def easypost() -> Iterator[Account]:
    with served() as account:
        yield account


@pytest.fixture
def labels(easypost: Account) -> EasyPostLabels:
    return bought_of(easypost)


@pytest.mark.parametrize("lost", LOST)
def test_a_purchase_whose_answer_is_lost_is_found_and_not_bought_again(
    easypost: Account, labels: EasyPostLabels, lost: str
) -> None:
    easypost.loses = {lost: LOST[lost]}
    with pytest.raises(Unanswered):
        labels.buy(BOX, PRIORITY, "k")

    label = labels.buy(BOX, PRIORITY, "k")

    assert easypost.paid == {"k": 1}
    assert label.cost == 742


@pytest.mark.parametrize("lost", ["retrieve", "buy", "label"])
def test_whoever_kept_what_was_prepared_buys_once_even_when_references_are_not_found(
    easypost: Account, labels: EasyPostLabels, lost: str
) -> None:
    easypost.hides = True
    prepared = labels.prepare(BOX, "k")
    easypost.loses = {lost: LOST[lost]}
    with pytest.raises(Unanswered):
        labels.buy(BOX, PRIORITY, "k", prepared)

    labels.buy(BOX, PRIORITY, "k", prepared)

    assert easypost.paid == {"k": 1}


def test_two_who_buy_what_was_prepared_at_once_have_one_label(
    easypost: Account, labels: EasyPostLabels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other was faster between our look and our purchase."""
    prepared = labels.prepare(BOX, "k")
    look = labels._shipment
    stale = look(prepared)
    other = bought_of(easypost).buy(BOX, PRIORITY, "k", prepared)
    looks = iter([stale])
    monkeypatch.setattr(labels, "_shipment", lambda each: next(looks, None) or look(each))

    assert labels.buy(BOX, PRIORITY, "k", prepared) == other
    assert easypost.paid == {"k": 1}


@pytest.mark.parametrize("status", [400, 402, 404, 422])
def test_what_they_refuse_is_refused_by_their_code_alone(
    easypost: Account, labels: EasyPostLabels, status: int
) -> None:
    easypost.refuses = {"create": (status, "ADDRESS.VERIFY.FAILURE")}

    with pytest.raises(LabelRefused) as refused:
        labels.buy(BOX, PRIORITY, "k")
    assert str(refused.value) == "easypost: ADDRESS.VERIFY.FAILURE"
    assert refused.value.__cause__ is None


def test_a_code_that_is_no_code_is_not_repeated(easypost: Account, labels: EasyPostLabels) -> None:
    easypost.refuses = {"create": (422, "Ada Byron lives elsewhere")}

    with pytest.raises(LabelRefused, match=r"^easypost: it answers 422$"):
        labels.rates(BOX)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_nobody_knows_may_be_asked_again(
    easypost: Account, labels: EasyPostLabels, status: int
) -> None:
    easypost.refuses = {"buy": (status, "BUSY")}
    with pytest.raises(Unanswered):
        labels.buy(BOX, PRIORITY, "k")
    easypost.refuses = {}

    assert labels.buy(BOX, PRIORITY, "k").tracking_number
    assert easypost.paid == {"k": 1}


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_taken_is_no_word_about_the_parcel(
    easypost: Account, labels: EasyPostLabels, status: int
) -> None:
    easypost.refuses = {"create": (status, "APIKEY.INACTIVE")}

    with pytest.raises(NotConnected):
        labels.buy(BOX, PRIORITY, "k")


def test_a_label_that_cannot_be_converted_is_a_picture(
    easypost: Account, labels: EasyPostLabels
) -> None:
    easypost.converts = frozenset()

    label = labels.buy(BOX, PRIORITY, "k")

    assert (label.media_type, label.document, label.zpl) == (PNG, PNG_BYTES, b"")


def test_they_are_told_ounces_and_inches_that_are_not_too_small(
    easypost: Account, labels: EasyPostLabels
) -> None:
    labels.rates(replace(BOX, weight_g=454, length_mm=254, width_mm=255, height_mm=1))

    parcel = easypost.asked[0]["shipment"]["parcel"]
    assert parcel == {"weight": 16.1, "length": 10.0, "width": 10.1, "height": 0.1}


def test_they_are_told_both_addresses_and_no_empty_field(
    easypost: Account, labels: EasyPostLabels
) -> None:
    labels.rates(replace(BOX, length_mm=0, width_mm=0, height_mm=0))

    said = easypost.asked[0]["shipment"]
    assert said["to_address"]["street1"] == ADA.line1
    assert said["from_address"] == {"name": "Reno", "state": "NV", "zip": "89501", "country": "US"}
    assert said["parcel"].keys() == {"weight"}
    assert "reference" not in said


@pytest.mark.parametrize("status", ["rejected", "not_applicable"])
def test_what_they_do_not_give_back_is_refused(
    easypost: Account, labels: EasyPostLabels, status: str
) -> None:
    label = kept(labels.buy(BOX, PRIORITY, "k"))
    easypost.refund_status = status

    answers = [labels.void(label, NOW) for _ in range(2)]

    assert {each.outcome for each in answers} == {Voiding.REFUSED}
    assert easypost.given_back.total() == 1


def test_a_void_whose_answer_is_lost_is_asked_for_once(
    easypost: Account, labels: EasyPostLabels
) -> None:
    label = kept(labels.buy(BOX, PRIORITY, "k"))
    easypost.loses = {"refund": 1}
    with pytest.raises(Unanswered):
        labels.void(label, NOW)

    assert labels.void(label, NOW).outcome is Voiding.ALREADY
    assert easypost.given_back.total() == 1


def test_a_void_that_they_refuse_says_why(easypost: Account, labels: EasyPostLabels) -> None:
    label = kept(labels.buy(BOX, PRIORITY, "k"))
    easypost.refuses = {"refund": (422, "SHIPMENT.REFUND.FAILURE")}

    assert labels.void(label, NOW).why == "easypost: SHIPMENT.REFUND.FAILURE"


def test_a_scan_form_whose_answer_is_lost_is_found(
    easypost: Account, labels: EasyPostLabels
) -> None:
    bought = tuple(kept(labels.buy(BOX, PRIORITY, key)) for key in "ab")
    hand_over = HandOver("man_1", "easypost", AUSTIN, date(2026, 3, 2), 1, bought)
    easypost.loses = {"list": 1}
    with pytest.raises(Unanswered):
        labels.manifest(hand_over)

    assert labels.manifest(hand_over).manifest_id in easypost.forms
    assert len(easypost.forms) == 1


def test_without_a_key_nobody_is_asked() -> None:
    def connected() -> Any:
        raise NotConnected("easypost is not connected: its key is missing")

    labels = EasyPostLabels(connected, Pages)
    with pytest.raises(NotConnected):
        labels.rates(BOX)


class Pages:
    """Documents, wherever they are said to be."""

    def call(self, method: str, url: str, **more: Any) -> Answer:
        return Answer(200, body=url.encode())


class Recorded:
    """An account that answers as it did when somebody wrote down what it said."""

    def __init__(self, create: str, then: str) -> None:
        self._create, self._then = create, then
        self.shipment = self.scan_form = self

    def create(self, **said: Any) -> Any:
        return _real(self._create)

    def retrieve(self, identity: str) -> Any:
        return _real(self._create)

    def buy(self, identity: str, **said: Any) -> Any:
        return _real(self._then)

    def refund(self, identity: str) -> Any:
        return _real(self._then)

    def label(self, identity: str, **said: Any) -> Any:
        return _real(self._then)


def _real(name: str) -> Any:
    from easypost.easypost_object import convert_to_easypost_object

    return convert_to_easypost_object(json.loads((REAL / f"py_test_{name}.json").read_text()))


def _recorded(create: str, then: str) -> EasyPostLabels:
    account = Recorded(create, then)
    return EasyPostLabels(lambda: account, Pages)


real = pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")


@real
def test_rates_that_were_recorded_are_exact() -> None:
    labels = _recorded("shipment_create_empty_objects_0_201", "")

    said = {rate.service: (rate.amount, rate.days) for rate in labels.rates(BOX)}

    assert said["USPS.Express"] == (3_415, 1)
    assert said["USPS.Priority"] == (742, 2)


@real
def test_a_purchase_that_was_recorded_is_read_whole() -> None:
    labels = _recorded("shipment_buy_0_201", "shipment_buy_1_200")

    label = labels.buy(BOX, "USPS.GroundAdvantage", "k", "shp_1")

    assert (label.cost, label.currency) == (607, "USD")
    assert label.tracking_number == "9400100208303109505657"
    assert label.label_id == "shp_16578f588f9546ec914afd2474e24ff5"
    assert (label.media_type, label.zpl) == (PNG, b"")
    assert label.document.endswith(b".png")


@real
def test_a_refund_that_was_recorded_is_voided() -> None:
    labels = _recorded("shipment_refund_0_201", "shipment_refund_1_200")

    assert labels.void(kept(_bought_once()), NOW).outcome is Voiding.VOIDED


@real
def test_a_scan_form_that_was_recorded_is_read() -> None:
    labels = _recorded("scanform_create_1_200", "")
    hand_over = HandOver("man_1", "easypost", AUSTIN, date(2026, 3, 2), 1, (kept(_bought_once()),))

    assert labels.manifest(hand_over).manifest_id == "sf_8eeeea1e23b44a8388cbb85b12595f46"


@real
def test_every_shipment_that_was_recorded_has_rates_that_can_be_read() -> None:
    told = 0
    for path in sorted(REAL.glob("*.json")):
        found = json.loads(path.read_text())
        if isinstance(found, dict) and found.get("object") == "Shipment" and found.get("rates"):
            labels = _recorded(path.stem.removeprefix("py_test_"), "")
            if path.stem.startswith("py_test_"):
                told += len(labels.rates(BOX))
    assert told > 20


def _bought_once() -> Any:
    labels = _recorded("shipment_buy_0_201", "shipment_buy_1_200")
    return labels.buy(BOX, "USPS.GroundAdvantage", "k", "shp_1")


@pytest.mark.parametrize("address", [PostalAddress("US", "Ada Byron", line1="1 Main St")])
def test_no_error_repeats_an_address(
    easypost: Account, labels: EasyPostLabels, address: PostalAddress
) -> None:
    box = replace(BOX, receiver=address)
    for status in (400, 401, 422, 500):
        easypost.refuses = {"create": (status, "X")}
        with pytest.raises((LabelRefused, NotConnected, Unanswered)) as raised:
            labels.rates(box)
        assert not any(word in str(raised.value) for word in ("Ada", "Main"))
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None


BACK = Parcel("ret_a-1", "ret_a-1", ADA, BOX.sender, 454)


def test_a_return_is_told_as_it_once_went_out(easypost: Account, labels: EasyPostLabels) -> None:
    label = EasyPostReturns(labels).create(BACK)

    told = easypost.asked[1]["shipment"]
    assert told["is_return"] is True
    assert (told["to_address"]["name"], told["from_address"]["name"]) == (ADA.name, "Reno")
    assert told["parcel"] == {"weight": 16.1}
    assert (label.service, label.cost) == ("UPS.Ground", 549)


def test_a_return_that_nobody_has_weighed_is_taken_for_a_kilogram(
    easypost: Account, labels: EasyPostLabels
) -> None:
    EasyPostReturns(labels).create(replace(BACK, weight_g=0))

    assert easypost.asked[1]["shipment"]["parcel"] == {"weight": 35.3}


@pytest.mark.parametrize("lost", LOST)
def test_a_return_whose_answer_is_lost_is_bought_once(
    easypost: Account, labels: EasyPostLabels, lost: str
) -> None:
    easypost.loses = {lost: LOST[lost]}
    with pytest.raises(Unanswered):
        EasyPostReturns(labels).create(BACK)

    assert EasyPostReturns(labels).create(BACK).tracking_number
    assert easypost.paid == {"ret_a-1": 1}
