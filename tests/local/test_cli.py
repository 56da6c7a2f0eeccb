"""What people ask for at a shell is answered for people, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import cli
from infra.cli import lake, redriving
from infra.local.client import Answer, Refusal
from oms.adapters.lake import duckdb_in_memory, parquet, row_of
from oms.domain.ids import order_id_of

ORDER = order_id_of("web", "1001")


def an_order(**more: Any) -> dict[str, Any]:
    quantities = {"open": 0, "allocated": 2, "delivered": 0}
    box = {
        "fulfillment_order_id": f"ful_{ORDER[4:]}-1",
        "location_id": "AUS1",
        "status": "shipped",
        "parcels": [{"carrier": "ups", "tracking_number": "1Z", "status": "in_transit"}],
    }
    return {
        "order_id": ORDER,
        "channel": "web",
        "external_id": "1001",
        "status": "in_fulfillment",
        "payment_status": "paid",
        "fulfillment_status": "partial",
        "return_status": "",
        "currency": "USD",
        "totals": {"total": 2500},
        "paid": 2500,
        "refunded": 0,
        "attention": "",
        "placed_at": "2026-03-02T09:30:00Z",
        "holds": [],
        "lines": [{"sku": "MUG", "quantity": 2, "quantities": quantities}],
        "fulfillment_orders": [box],
        "returns": [],
        **more,
    }


class Api:
    """Answers by path, whatever the query; what is not there is 404."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def get(self, path: str, **query: Any) -> Any:
        return self._answer("GET", path, query)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return self._answer("POST", path, body or {})

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        yield from self._answer("GET", path, query)

    def _answer(self, method: str, path: str, said: dict[str, Any]) -> Any:
        self.asked.append((method, path, said))
        found = self.answers.get(path)
        if found is None:
            raise Refusal(method, path, Answer(404, b"{}"))
        return found.pop(0) if isinstance(found, Parts) else found


class Parts(list[Any]):
    """Answers in turn."""


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], api: Api, *given: str
) -> tuple[int, str]:
    monkeypatch.setattr(cli, "client", lambda: api)
    with pytest.raises(SystemExit) as ended:
        cli.main(given)
    code = ended.value.code
    return (code if isinstance(code, int) else 1), capsys.readouterr().out


@pytest.fixture
def oms(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    return lambda api, *given: run(monkeypatch, capsys, api, *given)


@pytest.mark.parametrize(
    "what",
    [
        [ORDER],
        [f"ful_{ORDER[4:]}-1"],
        [f"ret_{ORDER[4:]}-1"],
        [f"lbl_{ORDER[4:]}-1-abc"],
        ["web", "1001"],
    ],
)
def test_an_order_is_found_by_whatever_names_it(oms: Any, what: list[str]) -> None:
    status, text = oms(Api(**{f"/orders/{ORDER}": an_order()}), "find", *what)

    assert (status, text.split()[0]) == (0, ORDER)


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("ada@example.com", {"customer": "ada@example.com"}),
        ("cus_1", {"customer": "cus_1"}),
        ("ups:1Z 5", {"tracking": "ups:1Z 5"}),
    ],
)
def test_orders_are_found_by_their_customer_and_parcel(
    oms: Any, what: str, query: dict[str, str]
) -> None:
    api = Api(**{"/orders": [an_order(), an_order(external_id="1002")]})

    status, text = oms(api, "find", what)

    assert (status, len(text.splitlines())) == (0, 2)
    assert api.asked == [("GET", "/orders", query)]


def test_what_nobody_knows_is_nothing_and_no_success(oms: Any) -> None:
    assert oms(Api(), "find", "web", "9") == (1, "nothing found\n")
    assert oms(Api(), "find", "9999") == (1, "nothing found\n")


def test_an_order_is_told_with_what_it_waits_for(oms: Any) -> None:
    held = {"type": "fraud", "reason": "two cards", "released_at": None}
    events = [{"at": "2026-03-02T09:30:00.1Z", "type": "OrderPlaced", "actor": "client:web"}]
    paths = {f"/orders/{ORDER}": an_order(holds=[held]), f"/orders/{ORDER}/events": events}

    status, text = oms(Api(**paths), "show", ORDER)

    assert status == 0
    for said in ("held (fraud): two cards", "25.00", "2 ×  MUG  2 allocated", "ups 1Z: in_transit"):
        assert said in text
    assert "2026-03-02 09:30:00  OrderPlaced  client:web" in text


def test_an_order_that_needs_somebody_is_no_success(oms: Any) -> None:
    order = an_order(attention="no stock")
    paths = {f"/orders/{ORDER}": order, f"/orders/{ORDER}/events": []}

    status, text = oms(Api(**paths), "show", ORDER)

    assert (status, "needs attention: no stock" in text) == (1, True)


def test_json_is_what_the_api_said(oms: Any) -> None:
    status, text = oms(Api(**{f"/orders/{ORDER}": an_order()}), "find", ORDER, "--json")

    assert (status, json.loads(text)) == (0, [an_order()])


def test_books_are_read_to_their_end_and_differences_are_no_success(oms: Any) -> None:
    wrong = {"subject": "ord_1", "rule": "captured", "expected": 2, "actual": 1}
    parts = Parts(
        [
            {"balanced": True, "differences": [], "counted": {"orders": 2}, "cursor": "c"},
            {"balanced": False, "differences": [wrong], "counted": {"orders": 1}},
        ]
    )

    status, text = oms(Api(**{"/books": parts}), "books")

    assert status == 1
    assert "ord_1  captured  2  1" in text
    assert "orders  3" in text


def test_a_shop_is_told_again_until_nothing_is_left(oms: Any) -> None:
    path = "/shops/shopify%3Amugs/redrive"
    api = Api(**{path: Parts([{"redriven": 2, "more": True}, {"redriven": 1, "more": False}])})

    assert oms(api, "redrive", "shopify:mugs") == (0, "3 tasks of shopify:mugs are told again\n")


def test_an_order_goes_on(oms: Any) -> None:
    api = Api(**{f"/attention/{ORDER}/retry": an_order(status="confirmed")})

    assert oms(api, "redrive", ORDER) == (0, f"{ORDER} goes on: confirmed\n")


def test_what_is_still_not_understood_is_no_success(oms: Any) -> None:
    api = Api(
        **{
            "/inbox": [{"message_id": "msg_1"}, {"message_id": "msg_2"}],
            "/inbox/msg_1/replay": {"message_id": "msg_1", "outcome": "accepted"},
            "/inbox/msg_2/replay": {"message_id": "msg_2", "outcome": "failed"},
        }
    )

    status, text = oms(api, "replay")

    assert (status, text.splitlines()) == (1, ["msg_1  accepted", "msg_2  failed"])


class Queue:
    """Dead letters that stay until they are deleted."""

    def __init__(self, *letters: str) -> None:
        self.letters = {f"m{n}": letter for n, letter in enumerate(letters)}
        self.called: list[str] = []

    def get_paginator(self, name: str) -> Any:
        assert name == "list_functions"
        return self

    def paginate(self) -> list[Any]:
        return [{"Functions": [{"FunctionName": "OmsPeople-NotifyCustomer"}]}]

    def get_function_event_invoke_config(self, FunctionName: str) -> Any:  # noqa: N803
        return {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:x:0:letters"}}}

    def get_queue_url(self, QueueName: str) -> Any:  # noqa: N803
        return {"QueueUrl": f"http://q/{QueueName}"}

    def receive_message(self, **_: Any) -> Any:
        found = [{"MessageId": m, "ReceiptHandle": m, "Body": b} for m, b in self.letters.items()]
        return {"Messages": found[:1] + found[1:]}

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        del self.letters[ReceiptHandle]

    def invoke(self, FunctionName: str, Payload: str) -> Any:  # noqa: N803
        self.called.append(Payload)
        return {"FunctionError": "Unhandled"} if "bad" in Payload else {}


def test_a_functions_dead_letters_are_given_to_it_once_and_those_that_fail_stay(
    oms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = Queue('{"requestPayload": {"id": 1}}', '{"id": "bad"}', '{"id": 3}')
    monkeypatch.setattr(redriving, "client_of", lambda _: aws)

    status, text = oms(Api(), "redrive", "NotifyCustomer")

    assert (status, text.splitlines()[0]) == (1, "2 of 3 done")
    assert list(aws.letters) == ["m1"]
    assert [json.loads(each) for each in aws.called] == [{"id": 1}, {"id": "bad"}, {"id": 3}]


class Bucket:
    """Files by their keys, as S3 lists and gives them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get_paginator(self, name: str) -> Any:
        assert name == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[Any]:  # noqa: N803
        return [{"Contents": [{"Key": key} for key in self.files if key.startswith(Prefix)]}]

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self.files[key])


@pytest.fixture
def asked(oms: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`oms lake` over these rows."""

    def ask(rows: list[dict[str, Any]], *given: str) -> tuple[int, str]:
        file = parquet(rows, duckdb_in_memory) if rows else b""
        files = {"lake/events/day=2026-03-02/1-1.parquet": file} if rows else {}
        monkeypatch.setattr(lake, "client_of", lambda _: Bucket(files))
        monkeypatch.setattr(lake, "bucket_name", lambda: "files")
        return oms(Api(), "lake", *given)  # type: ignore[no-any-return]

    return ask


def test_the_lake_names_its_questions(asked: Any) -> None:
    status, text = asked([])

    assert (status, "orders_by_month_and_country" in text) == (0, True)


def test_the_lake_answers_a_question_of_ones_own(asked: Any) -> None:
    told = {"id": "a#1", "type": "OrderPlaced", "version": 1, "at": "2026-03-02T09:30:00Z"}
    rows = [row_of({**told, "order_id": "a", "seq": 1, "data": {}}, 1)]

    status, text = asked(rows, "SELECT count(*) AS n, min(day) AS day FROM events")

    assert (status, text.splitlines()) == (0, ["n  day", "1  2026-03-02"])
    assert asked(rows, "SELECT nonsense FROM events")[0] == 1
    assert asked([], "SELECT 1")[0] == 1
