"""Profiles out of the archive of events: whole, however often a segment is handed out."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.customers import learn_profiles
from functions.customers.desk import learning
from oms.adapters.customers_table import customers_table
from oms.adapters.event_log import event_log
from oms.adapters.vault import vault
from oms.contracts import codec
from oms.domain.contact import Contact, PostalAddress
from oms.domain.customers import Profile
from tests.functions.customers.people import ADDRESS, get, learned, ordered, told
from tests.functions.doors import House, house
from tests.functions.world import Crash, Mortal

pytestmark = pytest.mark.cloud

__all__ = ["house"]


def profile(customer_id: str) -> Profile:
    return customers_table().get(customer_id).profile


def test_an_order_makes_the_profile_of_its_customer(house: House) -> None:
    order = ordered(house, phone="(512) 555-0100")
    learned(house, order)

    made = profile(order.customer_id)
    assert (made.name, made.emails[0].value) == ("Ada Byron", "ada@example.com")
    assert made.phones[0].key == "+15125550100"
    assert made.addresses[0].address.line1 == "1 Main St"
    assert (made.channels[0].channel, made.channels[0].source) == ("web", order.order_id)


def test_a_guest_has_a_profile_and_a_till_s_nobody_has_none(house: House) -> None:
    guest = ordered(house, None, name="Bo Diddley", phone="+1 512 555 0199")
    nobody = ordered(house, None, name="", address=None)
    learned(house, guest, nobody)

    assert guest.customer_id.startswith("cus_guest_")
    assert profile(guest.customer_id).name == "Bo Diddley"
    assert customers_table().get(nobody.customer_id).version == 0
    assert get(nobody.customer_id)[0] == 200  # there is an order, and nothing to tell


def test_segments_that_come_again_and_out_of_order_change_nothing(house: House) -> None:
    orders = [
        ordered(house, name=f"Ada {number}", phone=f"512 555 010{number}") for number in range(4)
    ]
    envelopes = told(house, *orders)
    learned(house, *orders)
    first = customers_table().get(orders[0].customer_id)

    random.Random(7).shuffle(envelopes)
    for each in (*envelopes, *envelopes):
        learn_profiles.learn([each], learning(), datetime.now(UTC))

    assert customers_table().get(orders[0].customer_id) == first


def test_an_edit_brings_the_address_that_the_order_goes_to_now(house: House) -> None:
    order = ordered(house)
    moved = Contact("ada@example.com", "Ada Byron", "", PostalAddress("US", line1="2 Elm St"))
    write = vault().contact_write(order.customer_id, f"{order.order_id}#edt_1", moved)
    house.cloud.client("dynamodb").put_item(**write.item["Put"])
    edited = {
        "id": f"{order.order_id}/9",
        "type": "OrderEdited",
        "version": 1,
        "at": (order.placed_at + timedelta(minutes=5)).isoformat(),
        "order_id": order.order_id,
        "seq": 9,
        "actor": "user:1",
        "data": {"edit": {"edit_id": "edt_1", "changes": {"contact": "edt_1"}}},
    }
    plain: dict[str, Any] = {**edited, "data": {"edit": {"edit_id": "edt_2", "changes": {}}}}
    event_log().append([*told(house, order), edited, plain])
    learn_profiles.handler({}, None)

    lines = [x.address.line1 for x in profile(order.customer_id).addresses]
    assert lines == ["2 Elm St", "1 Main St"]


def test_a_contact_that_was_destroyed_makes_no_profile(house: House) -> None:
    order = ordered(house)
    house.cloud.client("dynamodb").delete_item(
        TableName=house.environment["CUSTOMERS_TABLE"],
        Key={
            "PK": {"S": f"PERSON#{order.customer_id}"},
            "SK": {"S": f"CONTACT#{order.order_id}"},
        },
    )
    learned(house, order)

    assert customers_table().get(order.customer_id).version == 0


def test_no_row_tells_who_a_customer_is(house: House) -> None:
    learned(house, ordered(house, phone="(512) 555-0100", address={**ADDRESS, "line1": "Elm"}))

    written = repr(house.rows("customers"))
    for each in ("ada@", "Ada", "Byron", "byron", "5550100", "555-0100", "Elm", "Austin"):
        assert each not in written


def test_a_profile_survives_being_written_and_read(house: House) -> None:
    learned(house, order := ordered(house, phone="(512) 555-0100"))

    made = profile(order.customer_id)
    assert codec.decode(codec.encode(made), Profile) == made


def test_who_is_late_begins_nothing_new(house: House) -> None:
    class Late:
        def get_remaining_time_in_millis(self) -> int:
            return 1

    event_log().append(told(house, ordered(house)))

    assert learn_profiles.handler({}, Late()) == {"outcome": "learned", "segments": 0}
    assert learn_profiles.handler({}, None) == {"outcome": "learned", "segments": 1}


def test_a_row_that_somebody_has_moved_stops_nobody_else(house: House) -> None:
    ada, bob = ordered(house), ordered(house, "bob@example.com", name="Bob")
    table, client = house.environment["CUSTOMERS_TABLE"], house.cloud.client("dynamodb")
    rows = {row["SK"]["S"]: row for row in house.rows("customers")}
    mine, his = rows[f"CONTACT#{ada.order_id}"], rows[f"CONTACT#{bob.order_id}"]
    client.put_item(TableName=table, Item={**his, "PK": mine["PK"], "SK": mine["SK"]})
    learned(house, ada, bob)

    assert customers_table().get(ada.customer_id).version == 0
    assert profile(bob.customer_id).name == "Bob"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2])
def test_a_worker_that_dies_leaves_what_the_next_one_makes_whole(
    house: House, monkeypatch: pytest.MonkeyPatch, dies_at: int, *, after: bool
) -> None:
    order = ordered(house, phone="(512) 555-0100")
    envelopes = told(house, order)
    table, desk = customers_table(), learning()
    with monkeypatch.context() as first:
        first.setattr(table, "_client", Mortal(table._client, dies_at, after))
        with pytest.raises(Crash):
            learn_profiles.learn(envelopes, desk, datetime.now(UTC))
    learn_profiles.learn(envelopes, desk, datetime.now(UTC))

    kept = table.get(order.customer_id)
    found = {row["PK"]["S"] for row in house.rows("customers") if row["PK"]["S"][:5] == "FIND#"}
    assert kept.version == 1
    assert found == {f"FIND#{key}" for key in kept.found_by}


def test_an_edit_that_is_too_large_for_the_bus_stops_nobody_s_profile(house: House) -> None:
    order, later = ordered(house), ordered(house, "bo@example.com", name="Bo Diddley")
    large = {**told(house, order)[0], "id": f"{order.order_id}#9", "type": "OrderEdited", "seq": 9}
    del large["data"]
    event_log().append([{**large, "data_omitted": True}])

    learned(house, later)

    assert profile(order.customer_id).name == "Ada Byron"
    assert profile(later.customer_id).name == "Bo Diddley"
