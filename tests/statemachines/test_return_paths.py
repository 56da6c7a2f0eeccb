"""Whole lives of a return on the embedded cloud, with steps that do as they are told."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from infra.workflow import definition
from tests.statemachines.test_paths import Life, Workflow, soon, workflow

__all__ = ["workflow"]
pytestmark = pytest.mark.cloud

SETTLED = ["Settle return", "Settled?", "Return completed"]


@dataclass(frozen=True)
class Returns(Workflow):
    def machine(self, name: str, deadline: Callable[[str], int]) -> str:
        children = {"SettleMachine": self.create(f"s-{name}", definition("settle"), "EXPRESS")}
        return self.create(f"r-{name}", definition("return", deadline), "STANDARD", children)


@pytest.fixture(scope="module")
def returns(workflow: Workflow) -> Returns:
    return Returns(workflow.cloud, workflow.functions)


def test_goods_that_come_are_paid_for(returns: Returns) -> None:
    run = returns.run()

    assert run.life() == Life(
        "SUCCEEDED", ["Look at return", "Goods in?", "Await goods", "Goods in?", *SETTLED]
    )
    ids = {"order_id": run.order_id, "return_id": run.order_id.replace("ord_", "ret_") + "-1"}
    assert run.told("ReleaseStock") == [{"order_id": run.order_id}]
    assert run.told("SettleReturn") == run.told("LookAtReturn") == [ids]
    (waited,) = run.told("AwaitReturn:goods")
    assert waited.keys() == {*ids, "wait", "token"}


def test_nothing_is_awaited_of_what_the_customer_keeps(returns: Returns) -> None:
    run = returns.run({"LookAtReturn": ["kept"]})

    assert run.life().path == ["Look at return", "Goods in?", *SETTLED]
    assert run.asked("AwaitReturn:goods") == []


def test_goods_are_awaited_as_long_as_the_return_itself_says_and_no_longer(
    returns: Returns,
) -> None:
    run = returns.run({"LookAtReturn": ["goods for 1", "closed"], "AwaitReturn:goods": [None]})

    assert run.life().path == [
        *["Look at return", "Goods in?", "Await goods"],
        *["Look at return", "Goods in?", "Return closed"],
    ]


def test_a_parcel_that_was_handed_over_in_time_is_waited_for(returns: Returns) -> None:
    script: dict[str, list[str | None]] = {
        "LookAtReturn": ["goods for 1", "on_its_way"],
        "AwaitReturn:goods": [None, "received"],
    }

    path = ["Await goods", "Look at return", "Goods in?", "Await parcel", "Goods in?"]
    assert returns.run(script).life().path[2:] == [*path, *SETTLED]


def test_a_parcel_that_is_lost_on_its_way_needs_a_person(returns: Returns) -> None:
    run = returns.run(
        {"LookAtReturn": ["on_its_way"], "AwaitReturn:goods": [None]}, deadline=only_attention
    )

    assert run.waiting("Needs attention").path[2:] == ["Await parcel", "Needs attention"]
    reason = run.told("AwaitReturn:attention")[0]["reason"]
    assert reason == "The parcel did not arrive in time"


def only_attention(name: str) -> int:
    return 600 if name == "AttentionDeadline" else 2


def test_a_return_that_is_called_off_ends(returns: Returns) -> None:
    run = returns.run({"AwaitReturn:goods": ["closed"]})

    assert run.life().path[2:] == ["Await goods", "Goods in?", "Return closed"]
    assert run.asked("SettleReturn") == []


def test_goods_that_are_not_looked_at_yet_are_settled_twice(returns: Returns) -> None:
    run = returns.run({"SettleReturn": ["inspecting", "completed"]})

    assert run.life().path[4:] == [
        *["Settle return", "Settled?", "Await inspection", "Inspected?"],
        *SETTLED,
    ]


def test_what_nobody_looks_at_needs_a_person(returns: Returns) -> None:
    script: dict[str, list[str | None]] = {
        "SettleReturn": ["inspecting"],
        "AwaitReturn:inspection": [None],
    }
    run = returns.run(script, deadline=only_attention)

    assert run.waiting("Needs attention").path[-2:] == ["Await inspection", "Needs attention"]
    reason = run.told("AwaitReturn:attention")[0]["reason"]
    assert reason == "Not received and inspected in time"


@pytest.mark.parametrize(
    ("decision", "path"),
    [
        ("retry", ["Look at return", "Goods in?", *SETTLED]),
        ("cancel", ["Return closed"]),
        ("ignore", ["Attention closed"]),
    ],
)
def test_a_person_decides_what_nobody_foresaw(
    returns: Returns, decision: str, path: list[str]
) -> None:
    script: dict[str, list[str | None]] = {
        "LookAtReturn": ["received"],
        "SettleReturn": ["what?", "completed"],
        "AwaitReturn:attention": [decision],
    }
    run = returns.run(script)

    before = ["Look at return", "Goods in?", "Settle return", "Settled?"]
    assert run.life().path == [*before, "Needs attention", "Decided?", *path]
    assert run.told("AwaitReturn:attention")[0]["reason"] == "what?"


def test_what_the_return_has_said_itself_is_brought_to_a_person_without_another_reason(
    returns: Returns,
) -> None:
    run = returns.run({"SettleReturn": ["attention"], "AwaitReturn:attention": ["ignore"]})

    assert run.life().path[-3:] == ["Needs attention", "Decided?", "Attention closed"]
    assert run.told("AwaitReturn:attention")[0]["reason"] == ""


def test_nobody_deciding_is_asked_again(returns: Returns) -> None:
    run = returns.run(
        {"SettleReturn": ["what?"], "AwaitReturn:attention": [None, "ignore"]},
        deadline=lambda name: 2,
    )

    assert run.life().path[-4:] == [
        *["Needs attention", "Needs attention", "Decided?", "Attention closed"]
    ]


def test_what_fails_for_a_while_is_tried_again_without_a_person(returns: Returns) -> None:
    run = returns.run({"SettleReturn": ["failed", "completed"]}, deadline=soon)

    assert run.life().path[4:] == ["Settle return", "Settled?", "Settle again later", *SETTLED]


def test_what_fails_four_times_is_a_persons_business(returns: Returns) -> None:
    script: dict[str, list[str | None]] = {
        "SettleReturn": [*["failed"] * 4, "completed"],
        "AwaitReturn:attention": ["retry"],
    }
    path = returns.run(script, deadline=soon).life().path

    assert path.count("Settle again later") == 3
    assert (path.count("Needs attention"), path[-1]) == (1, "Return completed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("LookAtReturn", "Look at return: ValueError"),
        ("ReleaseStock", "Put goods away: ValueError"),
        ("SettleReturn", "Return money: ValueError"),
    ],
)
def test_a_step_that_keeps_failing_needs_attention_and_tells_no_more_than_its_error(
    returns: Returns, step: str, reason: str
) -> None:
    run = returns.run({step: ["raise"]}, deadline=soon)

    assert run.waiting("Needs attention", patience=90).status == "RUNNING"
    assert run.told("AwaitReturn:attention")[0]["reason"] == reason


@pytest.mark.slow
def test_a_return_whose_wait_cannot_be_recorded_fails_where_the_reconciler_finds_it(
    returns: Returns,
) -> None:
    run = returns.run({"SettleReturn": ["what?"], "AwaitReturn:attention": ["raise"]})

    life = run.life(patience=90)
    assert (life.status, life.path[-2:]) == ("FAILED", ["Needs attention", "Return stuck"])
