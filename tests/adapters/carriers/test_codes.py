"""Codes mean something only together with their carrier and section."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.bundling import OMS, files_in
from oms.adapters.carriers import CARRIERS, codes
from oms.adapters.carriers.codes import meaning, table
from oms.adapters.carriers.names import NAMES, ours
from oms.domain.tracking import TrackingStatus

FILES = sorted(Path(codes.__file__).parent.glob("*.tsv"))


def test_every_carrier_is_known_by_its_code() -> None:
    assert {code: each.code for code, each in CARRIERS.items()} == {
        code: code
        for code in (
            "17track",
            "aftership",
            "australia_post",
            "canada_post",
            "dhl",
            "easypost",
            "fedex",
            "manual",
            "royal_mail",
            "shipengine",
            "shippo",
            "test",
            "trackingmore",
            "ups",
            "usps",
        )
    }


def test_every_carrier_that_reports_has_a_table() -> None:
    assert {each.stem for each in FILES} == set(CARRIERS) - {"manual", "test"}


def test_the_tables_are_in_the_layer() -> None:
    assert set(FILES) <= set(files_in(OMS))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_table_says_each_code_of_a_section_once(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if line and line[0] != "#"]
    keys = [(section, code.casefold()) for section, code, _ in (x.split("\t") for x in lines)]

    assert len(keys) == len(set(keys))
    assert len(table(file.stem)) == len(keys)


@pytest.mark.parametrize(
    ("code", "meanings"),
    [
        ("DL", {("fedex", "movement"): "delivered", ("dhl", "express"): "delivered"}),
        ("DL", {("ups", "uld"): "in_transit", ("ups", "mail_innovations"): "delivered"}),
        ("OF", {("fedex", "movement"): "in_transit", ("ups", "uld"): "out_for_delivery"}),
        ("OF", {("dhl", "express"): "in_transit", ("usps", "event"): "out_for_delivery"}),
        ("DD", {("fedex", "movement"): "exception", ("dhl", "express"): "delivered"}),
        ("OC", {("fedex", "movement"): "label_created"}),
        ("CA", {("fedex", "movement"): "exception", ("fedex", "possession"): "unknown"}),
        ("EA", {("fedex", "movement"): "in_transit", ("fedex", "regulatory"): "in_transit"}),
        ("RC", {("fedex", "movement"): "in_transit", ("fedex", "possession"): "unknown"}),
        ("PX", {("ups", "updates"): "unknown", ("ups", "mail_innovations"): "exception"}),
    ],
)
def test_one_code_is_another_thing_elsewhere(
    code: str, meanings: dict[tuple[str, str], str]
) -> None:
    for (carrier, section), status in meanings.items():
        assert meaning(carrier, section, code) == status


def test_a_code_that_is_not_in_its_section_means_nothing() -> None:
    assert meaning("ups", "type", "DL") is None
    assert meaning("fedex", "movement", "") is None
    assert meaning("usps", "event", "delivered") is None


def test_nothing_that_failed_or_came_back_is_delivered() -> None:
    for carrier in (file.stem for file in FILES):
        for (_, code), status in table(carrier).items():
            if any(word in code for word in ("fail", "return", "lost", "exception", "undeliv")):
                assert status is not TrackingStatus.DELIVERED


def test_a_shipment_of_which_a_part_was_delivered_is_still_on_its_way() -> None:
    assert meaning("dhl", "express", "PD") is TrackingStatus.IN_TRANSIT


def test_what_aggregators_call_carriers_are_carriers() -> None:
    assert set(NAMES.values()) <= set(CARRIERS)
    assert ours("UPS", "dhl-germany", "Royal Mail", "yunexpress", "") == (
        "ups",
        "dhl",
        "royal_mail",
    )
