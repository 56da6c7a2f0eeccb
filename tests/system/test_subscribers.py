"""Another system is told of what happens to orders, in seconds, by messages that it can verify."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.cloud import eventually
from tests.fake_receiver import verifies
from tests.system.shop import Shop

pytestmark = pytest.mark.system

PATIENCE = 60


@dataclass
class Receiver:
    """It breaks down once."""

    url: str = ""
    secret: str = ""
    failures: int = 1
    believed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, body: bytes, headers: dict[str, str]) -> int:
        said = json.loads(body)
        if not verifies(self.secret, body, headers, datetime.now(UTC)):
            return 401
        if self.failures and said["type"] == "OrderPlaced":
            self.failures -= 1
            return 500
        self.believed.append((headers["webhook-id"], said))
        return 204

    def of(self, order_id: str) -> list[str]:
        return [said["type"] for _, said in self.believed if said.get("order_id") == order_id]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(found.answer(body, headers))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found = Receiver(f"http://127.0.0.1:{server.server_address[1]}/in")
    yield found
    server.shutdown()
    server.server_close()


def test_a_subscriber_hears_of_an_order_what_it_asked_for(shop: Shop, receiver: Receiver) -> None:
    wanted = ["OrderPlaced", "OrderRouted", "OrderCancelled"]
    made = shop.api.post("/subscribers", {"url": receiver.url, "types": wanted})
    identity, receiver.secret = made["subscriber_id"], made["secret"]
    tested = shop.api.post(f"/subscribers/{identity}/test", {})
    assert tested["status"] == "delivered"

    sku = shop.stocked(5)
    order_id = shop.routed((sku, 1))["order_id"]
    shop.cancel(order_id)

    eventually(lambda: set(receiver.of(order_id)) == set(wanted), PATIENCE)
    page = shop.api.get(f"/subscribers/{identity}/deliveries", limit="200")
    of_order = {each["type"]: each for each in page["items"] if each.get("order_id") == order_id}
    assert set(of_order) == set(wanted)
    codes = [each.get("status_code", 0) for each in of_order["OrderPlaced"]["attempts"]]
    assert codes == [500, 204]
    assert {each["webhook_id"] for each in of_order.values()} <= {it for it, _ in receiver.believed}

    shop.api.staff("DELETE", f"/subscribers/{identity}")
    assert shop.api.get("/subscribers")["items"] == []
