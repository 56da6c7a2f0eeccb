"""What consumers have seen is never edited: golden files of every published version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra import event_catalogue
from oms.contracts import codec, events

GOLDEN = sorted(Path(__file__).parent.glob("events/*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_todays_code_still_reads_every_event_ever_published(path: Path) -> None:
    published = json.loads(path.read_text())

    event = events.read(published["type"], json.dumps(published["data"]).encode())

    assert json.loads(codec.encode(event)) == published["data"]


def test_every_version_of_every_event_has_a_golden_file() -> None:
    golden = {path.stem for path in GOLDEN}

    assert golden >= {f"{each.name}.{each.version}" for each in events.CATALOGUE.values()}


def test_every_event_of_an_order_is_published_from_a_named_source() -> None:
    named = {each.type for each in events.CATALOGUE.values()}

    assert named >= events.ORDER_EVENTS
    assert all(each.source.startswith("oms.") for each in events.CATALOGUE.values())


def test_the_event_catalogue_is_what_the_code_says() -> None:
    assert event_catalogue.TARGET.read_text() == event_catalogue.document()


def test_no_event_has_a_field_for_personal_data() -> None:
    personal = {"email", "name", "phone", "line1", "address", "company", "city"}
    for published in events.CATALOGUE.values():
        assert personal.isdisjoint(f.name for f in published.type.__dataclass_fields__.values())
