import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local import bench_routing
from infra.local.bench_routing import BUDGET, main, percentile, score
from infra.local.routing_instances import Instance, made_up
from oms.domain.sourcing import Shipment, source

NODE = {"fixed_cents": 1_000, "per_unit_cents": [10, 20], "capacity": 1_000_000}
INSTANCE: Mapping[str, Any] = {
    "regime": "normal",
    "locations": 2,
    "lines": 2,
    "quantities": [1, 2],
    "constant_cents": -150,
    "nodes": [{"id": 0, "stock": [5, 5], **NODE}, {"id": 1, "stock": [1, 0], **NODE}],
    "optimal_cents": 900,
}


@pytest.fixture(autouse=True)
def without_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_routing, "WINDOWS", 0)


def written(path: Path, *instances: Mapping[str, Any]) -> Path:
    text = json.dumps(instances).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.mark.parametrize("name", ["instances.json", "instances.json.gz"])
def test_a_file_is_scored_by_size(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparse = {**INSTANCE, "regime": "sparse"}

    assert main([str(written(tmp_path / name, INSTANCE, sparse))]) == 0

    table = capsys.readouterr().out.splitlines()
    assert table[0].endswith(name)
    rows = [line.split()[:8] for line in table if "×" in line][1:]
    assert rows == [
        ["2", "×", "2", "normal", "1", "1", "1/1", "0.000%"],
        ["2", "×", "2", "sparse", "1", "1", "1/1", "0.000%"],
    ]
    assert last_row(table) == ["all", "2", "2", "2/2"]


def test_a_plan_above_the_known_optimum_fails_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "i.json", {**INSTANCE, "optimal_cents": 720}, INSTANCE)

    assert main([str(file)]) == 1

    assert last_row(capsys.readouterr().out.splitlines(), 6) == [
        *("all", "2", "2", "1/2"),
        *("12.500%", "25.000%"),
    ]


def last_row(table: Sequence[str], columns: int = 4) -> list[str]:
    return next(line.split()[:columns] for line in table if line.startswith("all"))


def test_without_a_known_optimum_the_gap_is_that_above_the_bound(tmp_path: Path) -> None:
    unknown = {key: value for key, value in INSTANCE.items() if key != "optimal_cents"}

    assert main([str(written(tmp_path / "i.json", unknown))]) == 0


def test_an_order_that_the_file_can_fill_and_we_cannot_fails_the_run(tmp_path: Path) -> None:
    assert main([str(written(tmp_path / "i.json", {**INSTANCE, "quantities": [9, 9]}))]) == 1


def test_an_order_that_cannot_be_filled_is_named_and_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = {**INSTANCE, "id": "far too much", "quantities": [9, 9], "optimal_cents": None}

    assert main([str(written(tmp_path / "i.json", INSTANCE, empty))]) == 0

    assert "1 cannot be filled: far too much (#1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"quantities": None}, "quantities is missing"),
        ({"quantities": [1, -2]}, "quantities is below 0: -2"),
        ({"quantities": [1, "2"]}, "quantities is no whole number: '2'"),
        ({"quantities": 3}, "quantities is no list"),
        ({"nodes": None}, "nodes is missing"),
        ({"nodes": [7]}, "node 0 is no object"),
        ({"nodes": [{**NODE, "id": 3}]}, "node 3: stock is missing"),
        ({"nodes": [{**NODE, "stock": [1]}]}, "node 0: stock has 1 figures for 2 lines"),
        ({"nodes": [{**NODE, "stock": [1, 1], "fixed_cents": -5}]}, "fixed_cents is below 0"),
        ({"nodes": [{**NODE, "stock": [1, 1], "fixed_cents": None}]}, "fixed_cents is missing"),
        ({"nodes": [{**NODE, "stock": [1, 1], "capacity": 1.5}]}, "capacity is no whole number"),
        ({"nodes": [{**NODE, "id": 1, "stock": [1, 1]}] * 2}, "two nodes have one id"),
        ({"optimal_cents": "cheap"}, "optimal_cents is no whole number"),
    ],
)
def test_an_instance_that_makes_no_sense_is_named_with_what_is_wrong(
    wrong: Mapping[str, Any], said: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "i.json", INSTANCE, {**INSTANCE, **wrong})

    with pytest.raises(SystemExit) as stopped:
        main([str(file)])

    assert "instance #1: " in str(stopped.value)
    assert said in str(stopped.value)


def test_an_instance_without_nodes_cannot_be_filled(tmp_path: Path) -> None:
    empty = {**INSTANCE, "nodes": [], "optimal_cents": None}

    assert main([str(written(tmp_path / "i.json", empty, INSTANCE))]) == 0


def test_windows_are_compared_with_all_orders_together(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_routing, "OWN", ((10, 3, "normal", 1),))

    assert main(["--windows", "2"]) == 0

    said = capsys.readouterr().out.splitlines()
    assert "2 groups of 10 orders" in said[-3]
    single, windowed = (float(line.split("total ")[1].rstrip("%")) for line in said[-2:])
    assert 0.0 <= windowed <= single


def test_without_a_file_instances_are_made_up_and_the_table_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_routing, "OWN", ((10, 3, "normal", 3), (50, 10, "sparse", 2)))

    assert main([]) == 0

    said = capsys.readouterr().out
    assert "made up" in said
    assert "50 × 10   sparse" in said


def test_progress_is_told_while_a_long_file_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_routing, "SAY_EVERY", 0.0)

    main([str(written(tmp_path / "i.json", INSTANCE, INSTANCE))])

    assert "1 of 2 instances" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["no json", "{}", '[{"nodes": 1}]', "[1]"])
def test_what_is_no_file_of_instances_is_said_in_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "i.json"
    file.write_text(text)

    with pytest.raises(SystemExit, match="cannot be read as sourcing instances"):
        main([str(file)])


def test_a_plan_is_checked_from_scratch() -> None:
    instance = Instance.read(INSTANCE)
    plan = source(instance.quantities, instance.sources)

    assert instance.is_filled_by(plan)
    assert not instance.is_filled_by(replace(plan, cost=1_049))
    assert not instance.is_filled_by(replace(plan, shipments=(Shipment("000000", (1, 1)),)))
    assert not instance.is_filled_by(replace(plan, shipments=(Shipment("000001", (1, 2)),)))


def test_a_spent_budget_leaves_an_instance_unproved() -> None:
    instance = made_up(50, 20, "sparse", 27)

    scored = score(instance, 0.0)

    assert not scored.proved
    assert scored.gap > 0
    assert score(instance, BUDGET).proved


def test_made_up_instances_are_the_same_every_time() -> None:
    assert made_up(10, 3, "sparse", 1) == made_up(10, 3, "sparse", 1)
    assert made_up(10, 3, "sparse", 1) != made_up(10, 3, "sparse", 2)


def test_percentiles_are_by_nearest_rank() -> None:
    assert [percentile(range(1, 11), p) for p in (1, 50, 99)] == [1, 5, 10]
