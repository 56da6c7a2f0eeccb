"""An HTTP API on the embedded cloud answers as on AWS."""

import json
import urllib.error
import urllib.request

import pytest

from infra.local.cloud import Cloud
from tests.cloud import deploy_function

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def url(cloud: Cloud) -> str:
    function = deploy_function(
        cloud,
        "def handler(event, context):\n"
        "    if event['rawPath'] == '/fail': raise ValueError('a secret of ours')\n"
        "    return {'statusCode': 200, 'body': event['rawPath']}",
    )
    apis = cloud.client("apigatewayv2")
    api = apis.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
    integration = apis.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=f"arn:aws:lambda:us-east-1:000000000000:function:{function}",
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    apis.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return f"{cloud.url}/_aws/execute-api/{api}"


def ask(url: str, body: bytes | None = None) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_function_sees_the_path_below_the_api(url: str) -> None:
    assert ask(f"{url}/orders/ord_1") == (200, "/orders/ord_1")


def test_a_failing_function_is_an_internal_error_that_says_nothing(url: str) -> None:
    status, body = ask(f"{url}/fail")

    assert (status, json.loads(body)) == (500, {"message": "Internal Server Error"})


def test_a_body_larger_than_a_function_takes_is_refused(url: str) -> None:
    assert ask(f"{url}/orders", b" " * (10 * 1024 * 1024))[0] == 413
