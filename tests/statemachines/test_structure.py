"""What holds for every state, whatever it does."""

import json
import re

import pytest

from infra.workflow import DEADLINES, DEADLINES_OF_RETURNS, DEFINITIONS, SECONDS, definition
from tests.statemachines.machines import NAMES, machine, states, strings, tasks, waits, ways_out

SUBSTITUTION = re.compile(r"\$\{(\w+)\}")
MACHINES = {"PrepareMachine", "CancelMachine", "SettleMachine"}
ENDS = {"Succeed", "Fail"}
# Those with a question mark try again later, first.
BEFORE_A_PERSON = {"Needs attention", "Prepared?", "Cancelled?", "Settled?"}
COMPUTED = "{% $states.input.seconds %}"  # until the day by which a return is handed over

every_machine = pytest.mark.parametrize("name", NAMES)


@every_machine
def test_every_way_leads_to_a_state(name: str) -> None:
    for state in states(name).values():
        assert set(ways_out(state)) <= states(name).keys()


@every_machine
def test_every_state_can_be_reached(name: str) -> None:
    reached, ahead = set(), {machine(name)["StartAt"]}
    while ahead:
        reached |= ahead
        ahead = {way for title in ahead for way in ways_out(states(name)[title])} - reached

    assert reached == states(name).keys()


@every_machine
def test_every_state_ends_or_leads_on(name: str) -> None:
    for title, state in states(name).items():
        ends = state["Type"] in ENDS or state.get("End") is True
        assert ends != bool(list(ways_out(state))) or state.get("End"), title


@every_machine
def test_from_every_state_the_end_can_be_reached(name: str) -> None:
    ended = {title for title, state in states(name).items() if is_end(state)}
    for _ in states(name):
        ended |= {
            title for title, state in states(name).items() if not ended.isdisjoint(ways_out(state))
        }

    assert ended == states(name).keys()


def is_end(state: dict[str, object]) -> bool:
    return state["Type"] in ENDS or state.get("End") is True


@every_machine
def test_ops_can_read_the_picture(name: str) -> None:
    assert machine(name)["Comment"]
    assert len(states(name)) < 20
    for title, state in states(name).items():
        assert state["Comment"].endswith((".", "?"))
        assert re.fullmatch(r"[A-Z][a-z]+( [a-z]+)*\??", title), title
        assert title.endswith("?") == (state["Type"] == "Choice")


@every_machine
def test_only_jsonata_is_spoken_and_it_stays_short(name: str) -> None:
    assert machine(name)["QueryLanguage"] == "JSONata"
    for text in strings(states(name)):
        if text.startswith("{%"):
            assert text.endswith("%}")
            assert "${" not in text
            assert len(text) < 180


@every_machine
def test_every_task_has_a_deadline_a_retry_with_jitter_and_a_way_out(name: str) -> None:
    for state in tasks(name).values():
        assert isinstance(state["TimeoutSeconds"], int) or state["TimeoutSeconds"] == COMPUTED
        assert state["Retry"][0]["JitterStrategy"] == "FULL"
        assert "States.TaskFailed" in state["Retry"][0]["ErrorEquals"]
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@every_machine
def test_a_surprise_ends_up_before_a_person_with_its_name_and_nothing_of_the_customer(
    name: str,
) -> None:
    for title, state in tasks(name).items():
        way = state["Catch"][-1]
        assert way["Next"] in BEFORE_A_PERSON or title == "Needs attention"
        assert way["Output"]["outcome"] == "failed"
        assert title in way["Output"]["reason"]
        assert "errorOutput.Error" in way["Output"]["reason"]
        assert "Cause" not in json.dumps(way)


@every_machine
def test_every_choice_has_an_answer_for_what_nobody_expected(name: str) -> None:
    for state in states(name).values():
        if state["Type"] == "Choice":
            assert state["Default"] in states(name)


@pytest.mark.parametrize("name", ["order", "return"])
def test_a_wait_that_is_over_is_never_waited_for_again(name: str) -> None:
    for title, state in waits(name).items():
        assert state["Catch"][0]["ErrorEquals"] == ["States.Timeout"], title
        assert not any("States.Timeout" in retry["ErrorEquals"] for retry in state["Retry"])


def test_each_wait_names_itself_as_the_domain_does() -> None:
    from oms.domain.waits import Wait

    waited_for = [state["Arguments"]["Payload"]["wait"] for state in waits("order").values()]

    assert sorted(waited_for) == sorted(Wait)


def test_each_wait_of_a_return_names_itself_as_the_domain_does() -> None:
    from oms.domain.returns.waits import ReturnWait

    waited_for = {state["Arguments"]["Payload"]["wait"] for state in waits("return").values()}

    assert waited_for == set(ReturnWait)


def test_goods_are_awaited_until_the_day_of_their_return_and_then_looked_at_again() -> None:
    shortened = json.loads(definition("return", lambda name: 2))["States"]
    fixed = {"Await parcel", "Await inspection", "Needs attention"}

    assert {shortened[title]["TimeoutSeconds"] for title in fixed} == {2}
    assert sorted(states("return")[title]["TimeoutSeconds"] for title in fixed) == sorted(
        [*DEADLINES_OF_RETURNS.values(), DEADLINES["AttentionDeadline"]]
    )
    assert waits("return").keys() - fixed == {"Await goods"}
    assert states("return")["Await goods"]["TimeoutSeconds"] == COMPUTED
    assert states("return")["Await goods"]["Catch"][0]["Next"] == "Look at return"


def test_each_deadline_is_of_one_wait_and_can_be_changed() -> None:
    shortened = json.loads(definition("order", lambda name: 2))["States"]

    assert len(waits("order")) == len(DEADLINES)
    assert {shortened[title]["TimeoutSeconds"] for title in waits("order")} == {2}
    assert sorted(state["TimeoutSeconds"] for state in waits("order").values()) == sorted(
        DEADLINES.values()
    )


def test_what_failed_is_tried_again_after_a_pause_that_can_be_changed() -> None:
    pauses = {title: state for title, state in states("order").items() if state["Type"] == "Wait"}
    shortened = json.loads(definition("order", lambda name: 2))["States"]

    assert {title: state["Next"] for title, state in pauses.items()} == {
        "Prepare again later": "Prepare order",
        "Cancel again later": "Cancel order",
    }
    assert {state["Seconds"] for state in pauses.values()} == {SECONDS["RetryPause"]}
    assert {shortened[title]["Seconds"] for title in pauses} == {2}


def test_every_variable_that_is_read_was_assigned_on_every_way_there() -> None:
    """A state that assigns does so when it goes well and when its error is caught."""
    found = [states("order")["Prepare order"], states("order")["Cancel order"]]
    for state in [*found, states("return")["Settle return"]]:
        assert state["Catch"][-1]["Assign"] == state["Assign"]


def test_the_happy_path_enters_at_most_six_states() -> None:
    path, title = [], "Prepare order"
    good = {"Prepared?": "Fulfil order", "Fulfilled?": "Order completed"}
    while not is_end(states("order")[title]):
        path.append(title)
        title = good.get(title) or states("order")[title]["Next"]

    assert [*path, title] == [
        "Prepare order",
        "Prepared?",
        "Fulfil order",
        "Fulfilled?",
        "Order completed",
    ]


@every_machine
def test_the_file_is_json_and_written_by_the_book(name: str) -> None:
    text = (DEFINITIONS / f"{name}.asl.json").read_text()

    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@every_machine
def test_every_substitution_is_a_function_that_exists_or_a_machine(name: str) -> None:
    needed = {found for text in strings(machine(name)) for found in SUBSTITUTION.findall(text)}
    ids = {
        "".join(word.capitalize() for word in path.stem.split("_"))
        for path in (DEFINITIONS.parent / "functions").glob("*/*.py")
    }

    assert needed <= ids | MACHINES
