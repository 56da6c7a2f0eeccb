"""`oms reconcile` uploads a statement, shows what does not agree, and fetches all of its lines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from infra.cli import arguments, reconciling

DONE = {
    "reconciliation_id": "job_1",
    "status": "done",
    "sums": [
        {"outcome": "matched", "currency": "USD", "count": 2, "stated": 3000, "ours": 3000},
        {"outcome": "different", "currency": "USD", "count": 1, "stated": 900, "ours": 1000},
    ],
    "fees": [{"currency": "USD", "count": 2, "amount": 148}],
    "files": {"result": "http://files/result"},
}


class Api:
    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found
        self.said: list[tuple[str, Any]] = []

    def post(self, path: str, body: Any = None) -> Any:
        self.said.append((path, body))
        link = {"url": "http://files/put", "headers": {}}
        return {"reconciliation": {"reconciliation_id": "job_1"}, "upload": link}

    def get(self, path: str, **query: Any) -> Any:
        return {"status": "done", "progress": PROGRESS} if path.startswith("/jobs") else self.found

    def pages(self, path: str, **query: Any) -> Any:
        yield {"proposal": f"something is {query['outcome']}"}


PROGRESS = {"done": 3, "total": 3, "refused": 0}


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    files: list[tuple[str, Path]] = []
    monkeypatch.setattr(reconciling, "upload", lambda link, path: files.append(("up", path)))
    monkeypatch.setattr(reconciling, "download", lambda link, path: files.append((link, path)))
    return files


def asked(path: Path, *more: str) -> argparse.Namespace:
    days = ["--from", "2026-03-01", "--to", "2026-03-31"]
    given = ["reconcile", "payouts", str(path), "--source", "stripe", *days, *more]
    return arguments().parse_args(given)


def test_a_statement_is_sent_and_what_does_not_agree_is_shown(
    tmp_path: Path, moved: list[tuple[str, Path]]
) -> None:
    path = tmp_path / "march.csv"
    path.write_text("reference\n")
    api = Api(DONE)

    said = reconciling.reconcile(api, asked(path, "--channel", "web"))  # type: ignore[arg-type]

    assert api.said[0] == (
        "/reconciliations",
        {
            "kind": "payouts",
            "source": "stripe",
            "period": {"first": "2026-03-01", "last": "2026-03-31"},
            "size": 10,
            "channel": "web",
        },
    )
    assert api.said[1][0] == "/reconciliations/job_1/start"
    assert moved == [("up", path), ("http://files/result", tmp_path / "march.result.csv")]
    assert not said.well
    text = "\n".join(said.lines)
    for shown in ("something is different", "9.00 USD", "1.48 USD"):
        assert shown in text


def test_what_agrees_is_well(tmp_path: Path, moved: list[tuple[str, Path]]) -> None:
    path = tmp_path / "march.csv"
    path.write_text("reference\n")
    api = Api({**DONE, "sums": DONE["sums"][:1]})  # type: ignore[index]

    assert reconciling.reconcile(api, asked(path, "--json")).well  # type: ignore[arg-type]
