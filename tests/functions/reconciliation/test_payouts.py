"""Payouts against what was captured and given back, however often and by whomever it is done."""

from __future__ import annotations

from typing import Any

import pytest

from oms.adapters import reconciling
from oms.adapters.costs_table import CostKind
from oms.adapters.reconciling import Reconciling
from oms.domain.jobs import JobStatus
from oms.domain.reconciling.judging import Outcome
from tests.functions.reconciliation.yard import Office

HEAD = "reference,kind,amount,fee,currency,date,order\n"


@pytest.fixture
def office(dynamodb: Any) -> Office:
    return Office.new(dynamodb)


@pytest.mark.cloud
def test_what_was_captured_and_paid_out_is_matched_and_its_fee_is_a_cost(office: Office) -> None:
    story = office.paid_order("1")

    done = office.reconciled(HEAD + "ch_1,capture,15.00,0.74,USD,2026-03-03,\n")

    assert office.counts(done) == {"matched": 1}
    assert office.open_tasks() == []
    (cost,) = office.costs_of(story)
    assert (cost.kind, cost.amount, cost.currency) == (CostKind.PAYMENT_FEE, 74, "USD")
    assert [(each.currency, each.stated) for each in done.figures.fees] == [("USD", 74)]


@pytest.mark.cloud
def test_each_difference_becomes_a_task_that_says_what_would_mend_it(office: Office) -> None:
    office.paid_order("1"), office.paid_order("2"), office.paid_order("3")
    text = (
        HEAD
        + "ch_1,capture,14.00,,USD,2026-03-03,\n"  # we know of 15.00
        + "ch_9,capture,7.00,,USD,2026-03-03,\n"  # we know of nothing
        + "ch_2,capture,15.00,,USD,2026-03-03,\n"
        + "ch_2,capture,15.00,,USD,2026-03-03,\n"  # again
    )

    done = office.reconciled(text)

    assert office.counts(done) == {
        "matched": 1,
        "different": 1,
        "missing_here": 1,
        "missing_there": 1,
        "duplicate": 1,
    }
    tasks = {each.rule: each for each in office.open_tasks()}
    assert set(tasks) == {f"statement_{each}" for each in Outcome if each is not Outcome.MATCHED}
    different = tasks["statement_different"]
    assert (different.expected, different.actual) == (1500, 1400)
    assert "14.00 USD" in different.proposal.words
    assert "15.00 USD" in different.proposal.words
    assert tasks["statement_missing_there"].proposal.fields["our_reference"] == "ch_3"


@pytest.mark.cloud
def test_the_sums_of_outcomes_are_what_the_lines_state_in_each_currency(office: Office) -> None:
    office.paid_order("1")
    office.paid_order("2", currency="EUR")
    text = (
        HEAD
        + "ch_1,capture,15.00,,EUR,2026-03-03,\n"
        + "ch_2,capture,15.00,,EUR,2026-03-03,\n"
        + "re_7,refund,3.50,,USD,2026-03-03,\n"
    )

    done = office.reconciled(text)

    assert done.figures.is_even
    told = {each.currency: each.stated for each in done.figures.stated}
    assert told == {"EUR": 3000, "USD": -350}
    (finding,) = office.found(done, Outcome.DIFFERENT)
    assert finding.differences == ("currency",)


@pytest.mark.cloud
def test_the_same_file_again_changes_nothing(office: Office) -> None:
    office.paid_order("1")
    text = HEAD + "ch_1,capture,14.00,0.74,USD,2026-03-03,\n"
    first = office.reconciled(text)
    before = {str(row["PK"]) + str(row["SK"]): row for row in office.rows()}

    again = office.reconciled(text)

    after = {str(row["PK"]) + str(row["SK"]): row for row in office.rows()}
    assert again.same_as == first.reconciliation_id
    assert again.figures == first.figures
    assert {key: after[key] for key in before} == before
    new = {row["PK"]["S"].partition("#")[0] for key, row in after.items() if key not in before}
    assert new == {"RECONCILIATION", "RECONCILIATIONS"}


@pytest.mark.cloud
def test_a_corrected_file_takes_the_place_of_the_one_before(office: Office) -> None:
    one, two = office.paid_order("1"), office.paid_order("2")
    wrong = HEAD + "ch_1,capture,14.00,0.74,USD,2026-03-03,\nch_9,capture,1.00,,USD,2026-03-03,\n"
    first = office.reconciled(wrong)
    right = HEAD + "ch_1,capture,15.00,0.70,USD,2026-03-03,\nch_2,capture,15.00,,USD,2026-03-03,\n"

    second = office.reconciled(right)

    assert office.counts(second) == {"matched": 2}
    assert second.supersedes == first.reconciliation_id
    assert office.table.get(first.reconciliation_id).superseded_by == second.reconciliation_id
    assert office.open_tasks() == []
    assert [cost.amount for cost in office.costs_of(one, two)] == [70]


@pytest.mark.cloud
def test_a_corrected_file_gives_free_what_it_no_longer_states(office: Office) -> None:
    story = office.paid_order("1")
    office.reconciled(HEAD + "ch_1,capture,15.00,0.74,USD,2026-03-03,\n")
    office.reconciled(HEAD + "ch_8,capture,1.00,,USD,2026-03-03,\n")

    other = office.reconciled(
        HEAD + "ch_1,capture,15.00,,USD,2026-03-03,\n", first="2026-02-27", last="2026-03-08"
    )

    assert office.costs_of(story) == []
    assert office.counts(other) == {"matched": 1}


@pytest.mark.cloud
def test_what_another_statement_has_paid_out_is_a_duplicate_and_not_missing(
    office: Office,
) -> None:
    office.paid_order("1"), office.paid_order("2")
    both = "ch_1,capture,15.00,,USD,2026-03-03,\n"
    first = office.reconciled(HEAD + both, first="2026-02-20", last="2026-03-05")

    second = office.reconciled(HEAD + "ch_2,capture,15.00,,USD,2026-03-03,\n" + both)

    assert office.counts(second) == {"matched": 1, "duplicate": 1}
    (finding,) = office.found(second, Outcome.DUPLICATE)
    assert finding.pair.twin_of == first.reconciliation_id


@pytest.mark.cloud
def test_what_comes_with_the_next_payout_is_no_longer_missing(office: Office) -> None:
    office.paid_order("1")
    text = HEAD + "ch_9,capture,1.00,,USD,2026-03-03,\n"
    office.reconciled(text, tolerance=0)
    missing = [each.rule for each in office.open_tasks()]

    office.reconciled(
        HEAD + "ch_1,capture,15.00,,USD,2026-04-01,\n",
        first="2026-04-01",
        last="2026-04-30",
        tolerance=30,
    )

    assert "statement_missing_there" in missing
    assert [each.rule for each in office.open_tasks()] == ["statement_missing_here"]


@pytest.mark.cloud
def test_the_last_days_are_left_to_the_next_statement(office: Office) -> None:
    office.paid_order("1")
    text = HEAD + "ch_9,capture,1.00,,USD,2026-03-03,\n"

    done = office.reconciled(text, first="2026-03-01", last="2026-03-06")

    assert office.counts(done) == {"missing_here": 1}


@pytest.mark.cloud
def test_an_old_order_is_found_by_its_name(office: Office) -> None:
    story = office.paid_order("1")
    text = HEAD + f"ch_1,capture,15.00,,USD,2026-05-03,{story.order_id}\n"

    done = office.reconciled(text, first="2026-05-01", last="2026-05-31", look_back=3)

    (finding,) = office.found(done)
    assert (finding.outcome, finding.differences) == (Outcome.DIFFERENT, ("date",))


@pytest.mark.cloud
def test_what_was_paid_elsewhere_is_found_by_its_number_in_the_channel(office: Office) -> None:
    story = office.paid_order("1")
    text = HEAD + "8XY,capture,15.00,0.30,USD,2026-03-03,1\nfee_1,fee,2.00,,USD,2026-03-03,1\n"

    done = office.reconciled(text, source="paypal", provider="stripe", channel="web")
    assert office.counts(done) == {"missing_here": 1, "missing_there": 1}  # it has another name

    elsewhere = office.reconciled(
        HEAD + ",capture,15.00,0.30,USD,2026-03-03,1\n,fee,2.00,,USD,2026-03-03,1\n",
        source="paypal",
        provider="stripe",
        channel="web",
    )
    assert office.counts(elsewhere) == {"matched": 1}
    assert sorted(cost.amount for cost in office.costs_of(story)) == [30, 200]


@pytest.mark.cloud
def test_a_refused_row_is_given_back_with_its_reason(office: Office) -> None:
    office.paid_order("1")
    text = HEAD + 'ch_1,capture,"1,500.00",,USD,2026-03-03,\nch_2,capture,1.00,,USD,03/03/2026,\n'

    job = office.uploaded(text)
    office.work_all()

    done = office.jobs.get(job.job_id)
    assert (done.progress.done, done.progress.total, done.progress.refused) == (2, 2, 2)
    refused = office.files.stored[done.results["refused"]].decode().splitlines()
    assert "without separators of thousands" in refused[1]
    assert "yyyy-mm-dd" in refused[2]
    assert office.table.get(job.job_id).refused == 2


@pytest.mark.cloud
def test_the_result_has_a_row_for_each_line_and_for_what_is_not_stated(office: Office) -> None:
    office.paid_order("1"), office.paid_order("2")
    done = office.reconciled(HEAD + "ch_1,capture,15.00,0.74,USD,2026-03-03,\n")

    name = office.jobs.get(done.reconciliation_id).results["result"]
    rows = office.files.stored[name].decode().splitlines()
    assert [row.split(",")[0] for row in rows] == ["outcome", "missing_there", "matched"]


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (HEAD, "no other"),
        (HEAD.replace(",", ";") + "a;b\n", "commas"),
        ("PK\x03\x04\x14", "packed"),
        ("a,b\n1,2\n", "names no column"),
    ],
)
def test_a_file_that_is_no_statement_is_refused_as_a_whole(
    office: Office, text: str, why: str
) -> None:
    job = office.uploaded(text)
    office.work_all()

    failed = office.jobs.get(job.job_id)
    assert failed.status is JobStatus.FAILED
    assert why in failed.reason


@pytest.mark.cloud
@pytest.mark.slow
def test_a_worker_that_dies_anywhere_leaves_figures_tasks_and_costs_as_if_it_had_not(
    office: Office,
) -> None:
    stories = [office.paid_order(str(number)) for number in range(3)]
    text = (
        HEAD
        + "ch_0,capture,15.00,0.74,USD,2026-03-03,\n"
        + "ch_1,capture,14.00,0.74,USD,2026-03-03,\n"
        + "ch_9,capture,1.00,0.10,USD,2026-03-03,\n"
    )
    office.reconciled(HEAD + "ch_2,capture,15.00,0.50,USD,2026-03-03,\n")
    job = office.uploaded(text)

    deaths = office.until_done()

    done = office.outcome_of(job)
    assert deaths > 20
    assert office.counts(done) == {
        "matched": 1,
        "different": 1,
        "missing_here": 1,
        "missing_there": 1,
    }
    assert done.lines == 3
    assert [cost.amount for cost in office.costs_of(*stories)] == [74, 74]
    assert len(office.open_tasks()) == 3


@pytest.mark.cloud
def test_a_wrong_file_does_not_bury_what_is_to_be_done(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "MAX_TASKS", 25)
    text = "".join(f"ch_{number},capture,1.00,,USD,2026-03-03,\n" for number in range(60))

    done = office.reconciled(HEAD + text)

    assert office.counts(done) == {"missing_here": 60}
    assert len(office.open_tasks()) == 25


@pytest.mark.cloud
def test_a_file_that_was_read_in_a_wrong_currency_is_read_again_in_the_right_one(
    office: Office,
) -> None:
    office.paid_order("1", currency="JPY")
    text = HEAD + "ch_1,capture,1500,,,2026-03-03,\n"
    office.reconciled(text, currency="USD")

    right = office.reconciled(text, currency="JPY")

    assert right.same_as == ""
    assert office.counts(right) == {"matched": 1}
    assert office.open_tasks() == []
    assert office.reconciled(text, currency="JPY").same_as == right.reconciliation_id


@pytest.mark.cloud
def test_a_file_is_read_again_where_another_tolerance_is_wanted(office: Office) -> None:
    office.paid_order("1")
    text = HEAD + "ch_1,capture,15.00,,USD,2026-03-12,\n"
    strict = office.reconciled(text, tolerance=0)

    lenient = office.reconciled(text, tolerance=10)

    assert office.counts(strict) == {"different": 1}
    assert office.counts(lenient) == {"matched": 1}
    assert lenient.supersedes == strict.reconciliation_id


@pytest.mark.cloud
def test_each_fee_of_an_order_is_a_cost_of_its_own(office: Office) -> None:
    story = office.paid_order("1")
    text = "".join(
        f"{reference},fee,{fee},,USD,2026-03-03,{story.order_id}\n"
        for reference, fee in [("", "2.00"), ("", "0.70"), ("fee_1", "0.40"), ("fee_1", "0.05")]
    )

    done = office.reconciled(HEAD + text)

    assert sorted(cost.amount for cost in office.costs_of(story)) == [5, 40, 70, 200]
    assert [each.stated for each in done.figures.fees] == [315]
    office.reconciled(HEAD + text[text.index("\n") + 1 :])
    assert sorted(cost.amount for cost in office.costs_of(story)) == [5, 40, 70]


@pytest.mark.cloud
def test_a_statement_whose_last_file_is_forgotten_can_be_corrected(office: Office) -> None:
    story = office.paid_order("1")
    text = HEAD + "ch_1,capture,14.00,0.74,USD,2026-03-03,\n"
    first = office.reconciled(text)
    head = {"PK": {"S": f"RECONCILIATION#{first.reconciliation_id}"}, "SK": {"S": "HEAD"}}
    office.client.delete_item(TableName=office.reports_name, Key=head)

    again = office.reconciled(text)
    right = office.reconciled(HEAD + "ch_1,capture,15.00,0.70,USD,2026-03-03,\n")

    assert (again.same_as, office.counts(right)) == ("", {"matched": 1})
    assert office.open_tasks() == []
    assert [cost.amount for cost in office.costs_of(story)] == [70]
    assert office.table.find(first.reconciliation_id) is None


@pytest.mark.cloud
def test_of_two_files_at_once_the_last_word_keeps_its_costs_and_what_it_has_matched(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = office.paid_order("1")
    line = "ch_1,capture,15.00,0.74,USD,2026-03-03,\n"
    mine, settle = office.uploaded(HEAD + line), Reconciling._settle
    other: list[Any] = []

    def meanwhile(self: Reconciling, run: Any, at: Any) -> Any:
        """Another file is read, and settled, when this one has judged."""
        if run.name == mine.job_id and not other:
            other.append(office.reconciled(HEAD + line + "ch_9,capture,1.00,,USD,2026-03-03,\n"))
        return settle(self, run, at)

    monkeypatch.setattr(Reconciling, "_settle", meanwhile)
    office.work_all()

    done = office.outcome_of(mine)
    assert (done.supersedes, office.counts(done)) == (other[0].reconciliation_id, {"matched": 1})
    assert [cost.amount for cost in office.costs_of(story)] == [74]
    (finding,) = office.found(done)
    assert finding.pair.ours
    subject = finding.pair.ours.subject
    assert office.table.claims([subject])[subject].reconciliation_id == mine.job_id
    assert office.open_tasks() == []
