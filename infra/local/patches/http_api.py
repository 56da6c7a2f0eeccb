"""An HTTP API keeps its functions' troubles to itself, and takes no more than they could.

Unpatched: the error message of a failed function is the body of a 502, and a body of any size is
handed to the function, which on AWS would be given 6 MB at most.
"""

from typing import Any

from ministack import app
from ministack.services import lambda_svc

from infra.local.patches.source import edit, require

LARGEST_BODY = 6 * 1024 * 1024
JSON = {"Content-Type": "application/json"}
TOO_LARGE = (413, JSON, b'{"message":"Request Entity Too Large"}')


def apply() -> None:
    edit(
        lambda_svc,
        "lambda_execute_result_to_api_proxy_response",
        "36f0ed215e85",
        ('"statusCode": 502,', '"statusCode": 500,'),
        (
            "        payload = json.dumps(err_body) "
            "if isinstance(err_body, dict) else str(err_body)\n",
            '        payload = \'{"message":"Internal Server Error"}\'\n',
        ),
    )
    require("_handle_execute_api_request", app._handle_execute_api_request, "77a20f6d604b")
    unbounded = app._handle_execute_api_request

    async def bounded(host: str, path: str, *request: Any, **more: Any) -> Any:
        _method, _headers, body = request[:3]
        if len(body) > LARGEST_BODY and app._parse_execute_api_url(host, path):
            return TOO_LARGE
        return await unbounded(host, path, *request, **more)

    app._handle_execute_api_request = bounded
