"""EasyPost as its reference says, for one test: it keeps shipments, and counts what it is paid.

`loses` the answers of these calls after it has done them; `refuses` them with a status and a code;
`hides` the reference of shipments, as if none had been given.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

RATES = (
    ("USPS", "Priority", "7.42", 2),
    ("USPS", "Express", "34.15", 1),
    ("UPS", "Ground", "5.49", None),
)
PDF_BYTES, PNG_BYTES, ZPL_BYTES = b"%PDF-1.4 theirs", b"\x89PNG theirs", b"^XA^XZ"
FILES = {"label.pdf": PDF_BYTES, "label.png": PNG_BYTES, "label.zpl": ZPL_BYTES}
Said = tuple[int, Any]


class Lost(Exception):
    """It was done; nobody hears of it."""


@dataclass
class Account:
    address: str = ""
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    given_back: Counter[str] = field(default_factory=Counter)
    loses: dict[str, int] = field(default_factory=dict)
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    converts: frozenset[str] = frozenset({"PDF", "ZPL"})
    refund_status: str = "submitted"
    hides: bool = False
    asked: list[Any] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def answer(self, method: str, path: str, query: str, body: Any) -> Said:
        name, said = self._do(method, path.removeprefix("/v2/").split("/"), query, body)
        if self.loses.get(name, 0) > 0:
            self.loses[name] -= 1
            raise Lost
        return said

    def _do(self, method: str, path: list[str], query: str, body: Any) -> tuple[str, Said]:
        name = _name(method, path)
        self.calls[name] += 1
        self.asked.append(body)
        if name in self.refuses:
            status, code = self.refuses[name]
            error = {"code": code, "message": "Ada Byron, 1 Main St: no", "errors": []}
            return name, (status, {"error": error})
        return name, getattr(self, f"_{name}")(path, query, body)

    def _create(self, path: list[str], query: str, body: Any) -> Said:
        said, number = body["shipment"], next(self.numbers)
        shipment_id = f"shp_{number:032x}"
        rates = [_rate(shipment_id, *each) for each in RATES]
        self.shipments[shipment_id] = {
            "id": shipment_id,
            "object": "Shipment",
            "reference": said.get("reference"),
            "rates": rates,
            "postage_label": None,
            "selected_rate": None,
            "scan_form": None,
            "tracking_code": None,
            "refund_status": None,
        }
        return 201, self.shipments[shipment_id]

    def _retrieve(self, path: list[str], query: str, body: Any) -> Said:
        found = self._known(path[1])
        return (200, found) if found else _error(404, "NOT_FOUND")

    def _buy(self, path: list[str], query: str, body: Any) -> Said:
        found = self.shipments[path[1]]
        if found["postage_label"]:
            return _error(422, "SHIPMENT.POSTAGE.EXISTS")
        self.paid[str(found["reference"])] += 1
        (rate,) = (each for each in found["rates"] if each["id"] == body["rate"]["id"])
        label = {"id": "pl_1", "object": "PostageLabel", "label_url": f"{self.address}/label.png"}
        number = f"94001{int(path[1][4:], 16):017}"
        found |= {"postage_label": label, "selected_rate": rate, "tracking_code": number}
        return 200, found

    def _label(self, path: list[str], query: str, body: Any) -> Said:
        kind = query.rpartition("=")[2]
        if kind not in self.converts:
            return _error(422, "SHIPMENT.LABEL.CANNOT_CONVERT")
        found = self.shipments[path[1]]
        url = {f"label_{kind.lower()}_url": f"{self.address}/label.{kind.lower()}"}
        return 200, {**found, "postage_label": {**found["postage_label"], **url}}

    def _refund(self, path: list[str], query: str, body: Any) -> Said:
        self.given_back[path[1]] += 1
        self.shipments[path[1]]["refund_status"] = self.refund_status
        return 200, self.shipments[path[1]]

    def _list(self, path: list[str], query: str, body: Any) -> Said:
        ids = [each["id"] for each in body["scan_form"]["shipments"]]
        if any(self.shipments[each]["scan_form"] for each in ids):
            return _error(422, "SCAN_FORM.SHIPMENT.INVALID")
        form_id = f"sf_{len(self.forms) + 1:032x}"
        url = f"{self.address}/label.pdf"
        form = {"id": form_id, "object": "ScanForm", "status": "created", "form_url": url}
        self.forms[form_id] = form
        for each in ids:
            self.shipments[each]["scan_form"] = form
        return 201, form

    def _known(self, named: str) -> dict[str, Any] | None:
        if named in self.shipments:
            return self.shipments[named]
        if self.hides:
            return None
        return next((x for x in self.shipments.values() if x["reference"] == named), None)


def _name(method: str, path: list[str]) -> str:
    if path[0] == "scan_forms":
        return "list"
    if len(path) == 3:
        return path[2]
    return "create" if method == "POST" else "retrieve"


def _rate(shipment_id: str, carrier: str, service: str, rate: str, days: int | None) -> Any:
    return {
        "id": f"rate_{shipment_id[-8:]}{service}",
        "object": "Rate",
        "carrier": carrier,
        "service": service,
        "rate": rate,
        "currency": "USD",
        "delivery_days": days,
        "delivery_date": None,
        "shipment_id": shipment_id,
    }


def _error(status: int, code: str) -> Said:
    return status, {"error": {"code": code, "message": "Ada Byron, 1 Main St: no", "errors": []}}


@contextmanager
def served() -> Iterator[Account]:
    account = Account()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            if name in FILES:
                return self.say(200, FILES[name], "application/octet-stream")
            return self.told("GET", None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            return self.told("POST", json.loads(body or b"{}"))

        def told(self, method: str, body: Any) -> None:
            path, _, query = self.path.partition("?")
            try:
                status, answer = account.answer(method, path, query, body)
            except Lost:
                self.connection.close()
            else:
                self.say(status, json.dumps(answer).encode(), "application/json")

        def say(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    account.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
