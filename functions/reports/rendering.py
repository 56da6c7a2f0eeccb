"""A report as JSON, or as a file for spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oms.contracts.api.reports import PeriodView, ReportView
from oms.contracts.csv_rows import written
from oms.domain.reporting.query import Key, Period, Plan, Table, shown, totals

BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Answer:
    """`before`: of the period that it is compared with."""

    plan: Plan
    table: Table
    earlier: Period | None = None
    before: Table | None = None
    counted_until: datetime | None = None

    def items(self) -> list[dict[str, Any]]:
        return _rows(self.plan, self.plan.asked.group_by, self.table, self.before)

    def totals(self) -> list[dict[str, Any]]:
        """What is counted once in a row has no total."""
        before = None if self.before is None else totals(self.plan, self.before)
        names = [n for n in self.plan.report.always if n in self.plan.asked.group_by]
        rows = _rows(self.plan, names, totals(self.plan, self.table), before)
        apart = {name for axis in self.plan.distinct for name in axis.figures}
        return [_without(row, apart) for row in rows]


def view(answer: Answer) -> ReportView:
    asked = answer.plan.asked
    return ReportView(
        answer.plan.report.name,
        _period(asked.period),
        asked.zone,
        list(asked.group_by),
        answer.items(),
        answer.totals(),
        _period(answer.earlier) if answer.earlier else None,
        answer.counted_until,
    )


def as_csv(answer: Answer) -> str:
    """The items: a line each; figures of the earlier period under `before_…`."""
    plan, items = answer.plan, answer.items()
    figures = list(shown(plan, {}))
    columns = [*plan.asked.group_by, *figures]
    columns += [f"{BEFORE}_{name}" for name in figures] if answer.before is not None else []
    flat = [{**row, **_prefixed(row.get(BEFORE, {}))} for row in items]
    return written([columns, *([_cell(row[column]) for column in columns] for row in flat)])


def _prefixed(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{BEFORE}_{name}": figure for name, figure in figures.items()}


def _rows(
    plan: Plan, names: Sequence[str], table: Table, before: Table | None
) -> list[dict[str, Any]]:
    """Rows that only the earlier period has are rows of zeros."""
    keys = sorted({*table, *(before or ())})
    return [_row(plan, names, key, table, before) for key in keys]


def _row(
    plan: Plan, names: Sequence[str], key: Key, table: Table, before: Table | None
) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(names, key, strict=True))
    row |= shown(plan, table.get(key, {}))
    return row if before is None else {**row, BEFORE: shown(plan, before.get(key, {}))}


def _without(row: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {
        name: _without(value, names) if name == BEFORE else value
        for name, value in row.items()
        if name not in names
    }


def _period(period: Period) -> PeriodView:
    return PeriodView(period.first.isoformat(), period.last.isoformat())


def _cell(value: Any) -> Any:
    return "" if value is None else value
