"""Profiles: the same, in whatever order they were told."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.contact import Contact, PostalAddress
from oms.domain.customers import (
    MAX_ADDRESSES,
    MAX_NAMES,
    Consent,
    Phone,
    Preferences,
    Profile,
    Sighting,
    asked_key,
    asked_phone,
    consented,
    has_phone,
    is_called,
    joined,
    name_keys,
    pairs,
    replaced,
    says_the_same,
    seen_on,
    words,
)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NAMES = ["Ada Byron", "ada byron", "Ada King", "A. Lovelace", "Zoë", "李 小龙", "Bo", "C D", "E F"]
WIDE_ADA = "\uff21\uff44\uff41"
contacts = st.builds(
    Contact,
    email=st.sampled_from(["", "ada@example.com", "Ada@example.com", "a@b.example"]),
    name=st.sampled_from(["", *NAMES]),
    phone=st.sampled_from(["", "+1 512 555 0100", "512 555 0100", "512 555 0101"]),
    address=st.none()
    | st.builds(
        PostalAddress,
        country=st.sampled_from(["US", "DE"]),
        line1=st.sampled_from(["", *(f"{n} Main St" for n in range(25))]),
        city=st.sampled_from(["Austin", "Berlin"]),
    ),
)
sightings = st.lists(
    st.builds(
        lambda contact, number, hours: seen_on(
            f"ord_{number}", contact, "web", AT + timedelta(hours=hours)
        ),
        contacts,
        st.integers(0, 9),
        st.integers(0, 60),
    ),
    max_size=30,
)


@given(sightings, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_profile_is_the_same_in_whatever_order_and_however_often_orders_tell_it(
    seen: list[Profile], chance: object
) -> None:
    again = [*seen, *seen[:5]]
    chance.shuffle(again)  # type: ignore[attr-defined]
    one_by_one = Profile()
    for each in again:
        one_by_one = joined([one_by_one, each])

    assert one_by_one == joined(seen)


@given(sightings)
@settings(deadline=None)
def test_no_list_grows_without_end(seen: list[Profile]) -> None:
    profile = joined(seen)

    assert len(profile.names) <= MAX_NAMES
    assert len(profile.addresses) <= MAX_ADDRESSES


def test_the_newest_name_is_shown_first() -> None:
    old = seen_on("ord_1", Contact(name="Ada Byron"), "web", AT)
    new = seen_on("ord_2", Contact(name="Ada King"), "web", AT + timedelta(days=1))

    assert [x.value for x in joined([new, old]).names] == ["Ada King", "Ada Byron"]


def test_a_name_of_the_address_is_as_good_and_a_till_tells_nobody() -> None:
    address = PostalAddress("US", name="Ada Byron", line1="1 Main St", phone="5125550100")

    profile = seen_on("ord_1", Contact(address=address), "web", AT)

    assert (profile.name, profile.phones[0].key) == ("Ada Byron", "+15125550100")
    assert not seen_on("ord_1", Contact(), "till", AT).is_somebody


def test_what_people_took_out_does_not_come_back_with_an_old_order_but_with_a_new_one() -> None:
    old = seen_on("ord_1", Contact(name="Wrong"), "web", AT)
    edited = replaced(old, old, Profile(), {"names"}, AT + timedelta(hours=1))

    assert edited.names == ()
    assert joined([edited, old]).names == ()
    again = seen_on("ord_2", Contact(name="Wrong"), "web", AT + timedelta(hours=2))
    assert joined([edited, again]).name == "Wrong"


def test_what_people_say_as_it_stands_there_was_not_seen_anew() -> None:
    old = seen_on("ord_1", Contact(name="Ada", phone="+1 512 555 0100"), "web", AT)
    later = AT + timedelta(hours=1)
    said = Profile(phones=(Phone("+1 512 555 0100", later, "user:1", verified=True),))

    after = replaced(old, old, said, {"phones"}, later)

    assert after.names == old.names
    assert (after.phones[0].verified, after.phones[0].at) == (True, later)
    assert replaced(after, after, said, {"phones"}, later + timedelta(1)).phones == after.phones
    assert says_the_same(after, said, {"phones"})
    assert not says_the_same(old, said, {"phones"})


def test_what_another_identity_has_is_not_copied() -> None:
    own = seen_on("ord_1", Contact(name="Ada"), "web", AT)
    shown = joined([own, seen_on("ord_2", Contact(name="Augusta"), "shop", AT)])
    said = Profile(names=tuple(Sighting(x.value, AT, "user:1") for x in shown.names))

    assert [x.value for x in replaced(own, shown, said, {"names"}, AT).names] == ["Ada"]


def test_a_number_that_was_verified_stays_so_when_it_is_seen_again() -> None:
    known = Profile(phones=(Phone("+15125550100", AT, "user:1", verified=True),))
    again = seen_on("ord_2", Contact(phone="+1 512 555 0100"), "web", AT + timedelta(days=1))

    assert joined([known, again]).phones[0].verified


def consent(granted: bool, hours: int) -> Consent:
    return Consent("marketing", "email", granted, AT + timedelta(hours=hours), "call", "user:1")


def test_the_last_word_on_consent_counts_and_silence_is_none() -> None:
    profile = consented(consented(Profile(), consent(False, 2)), consent(True, 1))

    assert not Profile().consents_to("marketing", "email")
    assert not profile.consents_to("marketing", "email")
    assert consented(profile, consent(True, 3)).consents_to("marketing", "email")
    assert not profile.consents_to("marketing", "sms")


def test_who_withdraws_in_the_same_moment_has_withdrawn() -> None:
    one, other = consent(True, 1), consent(False, 1)

    for first, second in ((one, other), (other, one)):
        both = consented(consented(Profile(), first), second)
        assert not both.consents_to("marketing", "email")


@pytest.mark.parametrize(
    ("hour", "quiet"), [("21:59", False), ("22:00", True), ("03:00", True), ("07:00", False)]
)
def test_quiet_hours_may_go_over_midnight(hour: str, quiet: bool) -> None:
    wishes = Preferences(quiet_from="22:00", quiet_until="07:00")

    assert wishes.is_quiet(time.fromisoformat(hour)) is quiet
    assert not Preferences().is_quiet(time.fromisoformat(hour))


def called(*names: str) -> Profile:
    return Profile(names=tuple(Sighting(each, AT, "ord_1") for each in names))


@pytest.mark.parametrize(
    "asked",
    ["Ada", "ada byr", "BYRON", "Zoe", "zoë", "zoe oconnor", "O'Connor", WIDE_ADA, "da costa"],
)
def test_a_customer_is_found_by_how_words_of_a_name_begin(asked: str) -> None:
    profile = called("Ada Byron", "Zoë O’Connor", "Maria da Costa")

    assert asked_key(asked) in name_keys(x.value for x in profile.names)
    assert is_called(profile, asked)


@pytest.mark.parametrize("asked", ["yron", "Ada King", "ad byron", "ada b", "!!", ""])
def test_and_by_nothing_else(asked: str) -> None:
    assert not is_called(called("Ada Byron"), asked)


@given(st.text(max_size=200))
def test_whoever_is_called_so_is_found_so(name: str) -> None:
    if words(name):
        assert asked_key(name) in name_keys([name])
        assert is_called(called(name), name)
    else:
        assert asked_key(name) == ""


@given(st.lists(st.text(max_size=200), max_size=5))
def test_the_keys_of_names_are_few(names: list[str]) -> None:
    assert len(name_keys(names)) <= 24


def test_a_number_is_found_with_its_country_and_without() -> None:
    profile = Profile(phones=(Phone("030 1234567", AT, "ord_1", "DE"),))

    assert has_phone(profile, asked_phone("+49 30 1234567"))
    assert has_phone(profile, asked_phone("030 1234567"))
    assert not has_phone(profile, asked_phone("030 1234567", "AT"))


def test_pairs_are_of_last_names_and_numbers_that_are_known_with_their_country() -> None:
    profile = Profile(
        names=(Sighting("Ada Byron", AT, "ord_1"), Sighting("Ada", AT, "ord_2")),
        phones=(Phone("+15125550100", AT, "u", verified=True), Phone("5550100", AT, "ord_1")),
    )

    assert pairs(profile) == (("+15125550100", "byron", True),)
