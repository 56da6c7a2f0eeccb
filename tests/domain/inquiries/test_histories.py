"""Whatever happens to an inquiry: its clock counts what was ours to do, and closed means closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain import events as e
from oms.domain.errors import Conflict, IllegalTransition, Refused
from oms.domain.inquiries import commands as c
from oms.domain.inquiries.deciding import decide, facts, open_inquiry, spent
from oms.domain.inquiries.folding import InquiryFact, fold
from oms.domain.inquiries.hours import after_working, worked
from oms.domain.inquiries.model import (
    MAX_TEXTS,
    Deed,
    Inquiry,
    InquiryState,
    Missed,
    Origin,
    Priority,
)
from oms.domain.inquiries.policy import Category, Hours, ServicePolicy, Target
from oms.domain.network.calendars import ALWAYS_OPEN, DAY_MINUTES, Calendar, Opening

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
WEEKDAYS = Calendar("Europe/Berlin", tuple(Opening(day, 9 * 60, 17 * 60) for day in range(5)))
OFFICE = ServicePolicy(
    time_zone="Europe/Berlin",
    opening=tuple(Hours(day, "09:00", "17:00") for day in ("mon", "tue", "wed", "thu", "fri")),
)
HOUR = timedelta(hours=1)
OPENING = c.OpenInquiry("inq_1", "cus_ada", "damaged", Priority.NORMAL, Origin.PAGE, "ord_1")
S = InquiryState


@dataclass
class File:
    """One inquiry, with all that happened to it."""

    policy: ServicePolicy = field(default_factory=ServicePolicy)
    now: datetime = MONDAY
    recorded: list[InquiryFact] = field(default_factory=list)

    def __post_init__(self) -> None:
        opened = open_inquiry(OPENING, self.policy, self.now)
        first, self.inquiry = facts(None, [opened], self.now, "customer")
        self.recorded += first

    def do(self, command: c.Command, wait: timedelta = timedelta(0)) -> Inquiry:
        self.now += wait
        events = decide(command, self.inquiry, self.policy, self.now)
        if events:
            done, self.inquiry = facts(self.inquiry, events, self.now, "user:1")
            self.recorded += done
        return self.inquiry

    def spent(self) -> int:
        return spent(self.inquiry, self.policy, self.now)


COMMANDS = st.one_of(
    st.builds(c.TakeMessage, st.sampled_from(["", "k1", "k2"])),
    st.builds(c.Note, st.sampled_from(["", "k3"])),
    st.builds(c.Answer, st.booleans(), st.sampled_from(["", "k4"])),
    st.builds(c.Assign, st.sampled_from(["", "user:1", "user:2"])),
    st.builds(c.Classify, st.sampled_from(["damaged", "refund"]), st.sampled_from(Priority)),
    st.builds(c.Resolve, st.sampled_from(Deed), fingerprint=st.sampled_from(["a", "b"])),
    st.just(c.Reopen()),
    st.just(c.Close()),
    st.just(c.LookAt()),
)
STEPS = st.lists(st.tuples(COMMANDS, st.integers(0, 100_000)), max_size=25)
POLICIES = st.sampled_from([ServicePolicy(), OFFICE])


@given(POLICIES, STEPS)
def test_the_clock_never_runs_backwards_nor_while_the_customer_is_awaited(
    policy: ServicePolicy, steps: list[tuple[c.Command, int]]
) -> None:
    file = File(policy)
    for command, seconds in steps:
        before, counted = file.inquiry, file.spent()
        file.now += timedelta(seconds=seconds)
        passed = file.spent() - counted
        assert passed >= 0
        assert before.runs or passed == 0
        assert passed <= seconds + 1
        try:
            file.do(command)
        except (Refused, Conflict):
            continue
        began_anew = file.inquiry.reopened > before.reopened
        assert began_anew or file.spent() in range(counted + passed - 1, counted + passed + 2)


@given(POLICIES, STEPS)
def test_an_inquiry_is_the_fold_of_its_history(
    policy: ServicePolicy, steps: list[tuple[c.Command, int]]
) -> None:
    file = File(policy)
    for command, seconds in steps:
        try:
            file.do(command, timedelta(seconds=seconds))
        except (Refused, Conflict):
            continue
    assert fold(file.recorded) == file.inquiry
    assert [each.seq for each in file.recorded] == list(range(1, len(file.recorded) + 1))


@given(POLICIES, STEPS, STEPS)
def test_closed_means_closed(
    policy: ServicePolicy,
    before: list[tuple[c.Command, int]],
    after: list[tuple[c.Command, int]],
) -> None:
    file = File(policy)
    for command, seconds in [*before, (c.Close(), 1), *after]:
        try:
            file.do(command, timedelta(seconds=seconds))
        except (Refused, Conflict):
            continue
    assert file.inquiry.state is S.CLOSED
    assert file.inquiry.look_at is None
    assert not file.inquiry.is_overdue


@given(POLICIES, STEPS)
def test_only_what_is_ours_to_do_has_a_deadline_and_it_is_looked_at_until_it_has_none(
    policy: ServicePolicy, steps: list[tuple[c.Command, int]]
) -> None:
    file = File(policy)
    for command, seconds in steps:
        try:
            file.do(command, timedelta(seconds=seconds))
        except (Refused, Conflict):
            continue
    assert file.inquiry.runs or file.inquiry.due_at is None
    for _ in range(4):
        if file.inquiry.look_at is not None:
            file.now = max(file.now, file.inquiry.look_at)
            file.do(c.LookAt())
    assert file.inquiry.look_at is None


@given(
    st.timedeltas(timedelta(0), timedelta(days=300)),
    st.integers(0, 10**6),
    st.sampled_from([ALWAYS_OPEN, WEEKDAYS]),
)
def test_when_a_target_is_over_its_time_has_just_been_worked(
    after: timedelta, seconds: int, calendar: Calendar
) -> None:
    began = MONDAY + after
    due = after_working(calendar, began, seconds)

    assert due >= began
    assert worked(calendar, began, due) in (seconds, seconds - 1)


def test_the_hours_of_a_policy_are_those_of_its_calendar() -> None:
    assert OFFICE.calendar == WEEKDAYS
    assert ServicePolicy().calendar == ALWAYS_OPEN


def test_nights_and_week_ends_do_not_count() -> None:
    friday = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)  # 16:30 in Berlin

    assert after_working(WEEKDAYS, friday, 3_600) == datetime(2026, 3, 9, 8, 30, tzinfo=UTC)
    assert worked(WEEKDAYS, friday, friday + timedelta(days=2)) == 1_800


def test_hours_that_overlap_count_once() -> None:
    twice = Calendar("UTC", (Opening(0, 0, DAY_MINUTES), Opening(0, 60, 120)))

    assert worked(twice, MONDAY.replace(hour=0), MONDAY.replace(hour=3)) == 3 * 3_600


def test_a_place_that_never_opens_has_a_deadline_all_the_same() -> None:
    never = Calendar("UTC", (Opening(0, 60, 60),))

    assert after_working(never, MONDAY, 60) > MONDAY


def test_time_that_the_customer_takes_is_not_counted() -> None:
    file = File()
    file.do(c.Answer(), wait=2 * HOUR)
    file.do(c.TakeMessage("k"), wait=100 * HOUR)

    assert file.spent() == 2 * 3_600
    assert file.inquiry.state is S.OPEN
    assert file.inquiry.due_at == file.now + 38 * HOUR


def test_a_missed_first_answer_makes_it_overdue_until_it_is_given() -> None:
    file = File()
    assert file.do(c.LookAt(), wait=7 * HOUR).missed == ()
    assert file.do(c.LookAt(), wait=HOUR).missed == (Missed.FIRST_ANSWER,)

    assert file.inquiry.is_overdue
    assert file.inquiry.due_at == MONDAY + 40 * HOUR
    assert not file.do(c.Answer(waits=False)).is_overdue
    assert file.do(c.LookAt(), wait=40 * HOUR).is_overdue


def test_a_message_opens_what_was_resolved_again_and_its_clock_begins_anew() -> None:
    file = File()
    file.do(c.Assign("user:1"))
    file.do(c.Resolve(Deed.ANSWERED), wait=30 * HOUR)
    again = file.do(c.TakeMessage("k"), wait=HOUR)

    assert (again.state, again.reopened, again.clock.spent) == (S.IN_PROGRESS, 1, 0)
    assert again.due_at == file.now + 8 * HOUR
    assert isinstance(file.recorded[-1].event, e.InquiryReopened)


def test_what_is_resolved_is_closed_when_nobody_is_heard_of() -> None:
    file = File()
    file.do(c.Resolve(Deed.ANSWERED))
    assert file.do(c.LookAt(), wait=timedelta(days=13)).state is S.RESOLVED
    assert file.do(c.LookAt(), wait=timedelta(days=1)).state is S.CLOSED


def test_the_same_resolution_twice_is_one_and_another_is_refused() -> None:
    file = File()
    file.do(c.Resolve(Deed.REFUND, "crd_1", 500, "same"))
    file.do(c.Resolve(Deed.REFUND, "crd_1", 500, "same"))

    assert len(file.inquiry.resolutions) == 1
    with pytest.raises(Conflict):
        file.do(c.Resolve(Deed.CANCEL, fingerprint="other"))


def test_a_text_that_is_told_again_is_written_once() -> None:
    file = File()
    file.do(c.Answer(key="k"))
    file.do(c.Answer(key="k"))

    assert file.inquiry.texts == 2


def test_it_takes_so_many_texts_and_no_more() -> None:
    file = File()
    for _ in range(MAX_TEXTS - 1):
        file.do(c.Note())
    with pytest.raises(Refused):
        file.do(c.Note())


def test_a_note_is_kept_of_what_is_closed_and_an_answer_is_not() -> None:
    file = File()
    file.do(c.Close())

    assert file.do(c.Note()).texts == 2
    with pytest.raises(IllegalTransition):
        file.do(c.Answer())
    with pytest.raises(IllegalTransition):
        file.do(c.TakeMessage())


def test_the_most_that_is_said_of_a_target_is_what_counts() -> None:
    policy = ServicePolicy(
        categories=(Category("damaged"), Category("other")),
        targets=(Target("damaged", "", 30, 60), Target("", "urgent", 10, 20)),
    )

    assert policy.targets_of("damaged", "urgent").first_answer == 30 * 60
    assert policy.targets_of("other", "urgent").first_answer == 10 * 60
    assert policy.targets_of("other", "low").first_answer == Target().first_answer * 60
