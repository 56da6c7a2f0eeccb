"""Past decisions made again by another rule set, as a job."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from functions.routing.simulations import Desk, simulation_view, start_simulation
from oms.adapters.dynamodb import key
from oms.adapters.order_rows import event_sk, order_pk
from oms.adapters.routing.simulation import RoutingSimulation, days_of
from oms.adapters.rule_sets_table import RuleSetsTable
from oms.contracts.api.routing import SimulateRouting, SimulationView
from oms.domain.errors import NotFound
from oms.domain.inventory import IdempotencyConflict
from oms.domain.jobs import Job, JobStatus
from oms.domain.order import Order
from oms.domain.routing.rules import Objective, Rule, RuleSet, Then
from tests.functions.routing.network import Network
from tests.functions.world import an_order, now

pytestmark = pytest.mark.cloud

NOT_AUSTIN = RuleSet("elsewhere", 0, rules=(Rule("no austin", then=Then(exclude=("AUSTIN",))),))


@pytest.fixture
def network(dynamodb: Any) -> Network:
    network = Network.new(dynamodb)
    network.world.receive("MUG", 100)
    network.world.receive("MUG", 100, "RENO")
    return network


def rule_sets(network: Network) -> RuleSetsTable:
    return RuleSetsTable(network.world.client, network.world.stock_name)


def saved(network: Network, rule_set: RuleSet) -> int:
    kept = rule_sets(network).save(rule_set, {"name": rule_set.name}, at=now(), actor="test")
    return kept.rule_set.version


def today() -> date:
    return now().date()


def asked(network: Network, once: str | None = None, **said: Any) -> SimulationView:
    """Over yesterday, today and tomorrow: a test may run at midnight."""
    given = {"from": str(today() - timedelta(1)), "to": str(today() + timedelta(1)), **said}
    desk = Desk(network.jobs, network.queue)
    simulate = SimulateRouting.read({"rule_set": 0, **given})
    return start_simulation(desk, simulate, at=now(), actor="test", once=once)


def simulated(network: Network, **said: Any) -> SimulationView:
    job_id = asked(network, **said).job_id
    network.work_all()
    return simulation_view(network.jobs, job_id)


def forget_decisions(network: Network, order: Order) -> None:
    """As an order of the time before decisions were kept."""
    for seq in range(1, order.version + 1):
        network.world.client.update_item(
            TableName=network.world.orders_name,
            Key=key(order_pk(order.order_id), event_sk(seq)),
            UpdateExpression="REMOVE decision",
        )


def test_the_rule_set_that_decided_decides_the_same_again(network: Network) -> None:
    for _ in range(3):
        network.routed()

    found = simulated(network)

    assert (found.status, found.days_done, found.days, found.looked_at) == ("done", 3, 3, 3)
    assert (found.changed, found.skipped) == (0, 0)
    assert found.before == found.after
    assert (found.before.orders, found.before.shipments, found.before.cost) == (3, 3, 1500)
    assert found.before.load == {"AUSTIN": 6}


def test_another_rule_set_is_told_apart_in_load_and_cost(network: Network) -> None:
    for _ in range(2):
        network.routed()

    found = simulated(network, rule_set=saved(network, NOT_AUSTIN))

    assert (found.rule_set, found.changed) == (1, 2)
    assert (found.before.load, found.after.load) == ({"AUSTIN": 4}, {"RENO": 4})
    assert (found.before.cost, found.after.cost) == (1000, 1400)


def test_stock_is_what_it_was_when_it_was_decided(network: Network) -> None:
    network.routed(("MUG", 60))
    network.routed(("MUG", 60))

    found = simulated(network)

    assert found.before.load == found.after.load == {"AUSTIN": 60, "RENO": 60}


def test_of_an_order_only_its_first_decision_counts(network: Network) -> None:
    order = network.routed()
    network.change("AUSTIN", active=False)
    network.told("AUSTIN", "closed")
    network.work_all()
    network.world.route(order.order_id)

    found = simulated(network)

    assert found.before.orders == 1
    assert found.before.load == {"AUSTIN": 2}


def test_orders_without_kept_decisions_are_skipped_and_those_not_routed_are_not_there(
    network: Network,
) -> None:
    forget_decisions(network, network.routed())
    network.world.place(an_order())

    found = simulated(network)

    assert (found.looked_at, found.skipped, found.before.orders) == (2, 1, 0)


def test_a_channel_alone_can_be_simulated(network: Network) -> None:
    network.routed(channel="web")
    network.routed(channel="till")

    assert simulated(network, channel="till").before.orders == 1


def test_a_worker_that_dies_anywhere_counts_every_order_once(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oms.adapters.routing.simulation.A_STEP", 2)
    for _ in range(3):
        network.routed()
    job_id = asked(network).job_id

    assert network.until_done() > 10

    found = simulation_view(network.jobs, job_id)
    assert (found.status, found.looked_at, found.before.orders) == ("done", 3, 3)


def test_what_is_found_so_far_is_seen_meanwhile(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oms.adapters.routing.simulation.A_STEP", 1)
    network.steps = 1
    for _ in range(2):
        network.routed()
    first = asked(network)
    assert (first.status, first.looked_at) == ("queued", 0)
    seen = set()

    while network.queue.tasks:
        network.work(network.queue.tasks.pop(0))
        seen.add(simulation_view(network.jobs, first.job_id).before.orders)

    assert {0, 1, 2} <= seen


def test_one_key_is_one_simulation(network: Network) -> None:
    first, again = asked(network, once="k"), asked(network, once="k")

    assert first.job_id == again.job_id
    with pytest.raises(IdempotencyConflict):
        asked(network, once="k", channel="till")


def test_a_year_is_cut_into_no_more_slices_than_a_job_may_have(network: Network) -> None:
    params = {"from": "2025-01-01", "to": "2026-01-01", "channel": "", "rule_set": 0}
    job = Job("job_1", "routing_simulation", params, "test", now())
    kind = RoutingSimulation(network.world.orders, rule_sets(network))

    plans = kind.slices(job)

    assert len(plans) <= 64
    assert sum(len(days_of(Job("", "", p.params, "", now()))) for p in plans) == 366


def test_another_kind_of_job_is_no_simulation(network: Network) -> None:
    job = network.asked("reroute_work", location_id="AUSTIN")

    with pytest.raises(NotFound):
        simulation_view(network.jobs, job.job_id)


def test_a_version_that_is_not_there_fails_the_job(network: Network) -> None:
    found = simulated(network, rule_set=9)

    assert (found.status, found.reason) == (JobStatus.FAILED, "there is no rule set 9")


def test_an_objective_of_its_own_is_simulated_too(network: Network) -> None:
    network.routed()
    version = saved(network, RuleSet("cheap", 0, Objective.CHEAPEST))

    assert simulated(network, rule_set=version).changed == 0
