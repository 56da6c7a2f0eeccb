"""A Python function on the embedded cloud behaves as on AWS."""

import json
import time
from typing import Any

import pytest

from infra.local.cloud import Cloud
from tests.cloud import deploy_function

pytestmark = pytest.mark.cloud

FUNCTION = """
import os, sys
class StockGone(Exception): pass
def handler(event, context):
    if event.get("do") == "fail":
        raise StockGone("no mugs left")
    if event.get("do") == "sleep":
        import time; time.sleep(5)
    if event.get("do") == "see":
        return {"path": sys.path, "env": dict(os.environ)}
    if event.get("do") == "print":
        print("seen in the log"); sys.stdout.flush()
    return {"pid": os.getpid(), "left": context.get_remaining_time_in_millis()}
"""


@pytest.fixture(scope="module")
def name(cloud: Cloud) -> str:
    return deploy_function(cloud, FUNCTION, Timeout=2)


def call(cloud: Cloud, name: str, **event: Any) -> dict[str, Any]:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    return body


def test_an_exception_is_reported_by_its_own_name(cloud: Cloud, name: str) -> None:
    body = call(cloud, name, do="fail")

    assert body["errorType"] == "StockGone"
    assert body["errorMessage"] == "no mugs left"
    assert 'raise StockGone("no mugs left")' in body["stackTrace"][-1]
    assert body["requestId"]


def test_an_exception_does_not_end_the_process(cloud: Cloud, name: str) -> None:
    before = call(cloud, name)["pid"]
    call(cloud, name, do="fail")

    assert call(cloud, name)["pid"] == before


def test_a_timeout_ends_the_process_and_the_next_call_has_a_new_one(
    cloud: Cloud, name: str
) -> None:
    before = call(cloud, name)["pid"]
    body = call(cloud, name, do="sleep")

    assert "timed out after 2.00 seconds" in body["errorMessage"]
    assert call(cloud, name)["pid"] != before


def test_a_missing_import_is_an_import_module_error(cloud: Cloud) -> None:
    name = deploy_function(cloud, "import no_such_package\ndef handler(event, context): ...")

    body = call(cloud, name)

    assert body["errorType"] == "Runtime.ImportModuleError"
    assert body["errorMessage"].startswith("Unable to import module 'index'")


def test_a_function_sees_its_own_packages_only(cloud: Cloud, name: str) -> None:
    seen = call(cloud, name, do="see")

    assert not [path for path in seen["path"] if "emulator" in path or path == ""]
    assert "GATEWAY_PORT" not in seen["env"]
    assert seen["env"]["AWS_ENDPOINT_URL"] == cloud.url


def test_what_a_function_prints_is_in_its_log(cloud: Cloud, name: str) -> None:
    call(cloud, name, do="print")

    events = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert any("seen in the log" in event["message"] for event in events)


def test_a_silent_call_does_not_wait_for_log_lines(cloud: Cloud, name: str) -> None:
    call(cloud, name)
    started = time.monotonic()
    for _ in range(10):
        call(cloud, name)

    assert (time.monotonic() - started) / 10 < 0.04
