"""What AWS asks in us-east-1, on demand and without a free tier, and how much it allows at first.

`page` is where the figure stands; `read` when and where it was last compared: "page" is the page
itself, another name a public copy of it, "recalled" is from experience and not compared again.
"""

from typing import NamedTuple


class Price(NamedTuple):
    usd: float
    unit: str
    page: str
    read: str


class Limit(NamedTuple):
    """Per second, for a new account in a large region, before anybody asks for more."""

    value: float
    of: str
    page: str
    read: str


PRICES = {
    "http_request": Price(1.00e-6, "request", "api-gateway/pricing", "2025-05, copy"),
    "lambda_request": Price(0.20e-6, "request", "lambda/pricing", "2026-05, copy"),
    "lambda_gb_second": Price(13.3334e-6, "GB-s on arm64", "lambda/pricing", "2026-05, copy"),
    "transition": Price(25e-6, "Standard transition", "step-functions/pricing", "2026-03, copy"),
    "express_request": Price(1.00e-6, "execution", "step-functions/pricing", "2026-03, copy"),
    "express_gb_second": Price(16.67e-6, "GB-s", "step-functions/pricing", "2026-03, copy"),
    "write_unit": Price(0.625e-6, "WRU", "dynamodb/pricing/on-demand", "2025-07, copy"),
    "read_unit": Price(0.125e-6, "RRU", "dynamodb/pricing/on-demand", "2025-07, copy"),
    "event": Price(1.00e-6, "64 KB of a custom event", "eventbridge/pricing", "2026-06, copy"),
    "sqs_request": Price(0.40e-6, "request", "sqs/pricing", "recalled"),
    "log_gb": Price(0.50, "GB ingested", "cloudwatch/pricing", "2026, copy"),
    "kms_request": Price(3.00e-6, "request", "kms/pricing", "recalled"),
    "secret_request": Price(5.00e-6, "request", "secrets-manager/pricing", "recalled"),
    "key_month": Price(1.00, "key and month", "kms/pricing", "recalled"),
    "secret_month": Price(0.40, "secret and month", "secrets-manager/pricing", "recalled"),
    "alarm_month": Price(0.10, "alarm and month", "cloudwatch/pricing", "recalled"),
    "machine_client_month": Price(
        6.00, "client that gets tokens of its own, and month", "cognito/pricing", "2025-05, copy"
    ),
}

LIMITS = {
    "HTTP API requests": Limit(10_000, "account", "apigateway/limits", "recalled"),
    "Lambda concurrency": Limit(1_000, "busy functions", "lambda/limits", "recalled"),
    "Standard executions started": Limit(300, "refill", "step-functions/limits", "recalled"),
    "Standard transitions": Limit(5_000, "refill", "step-functions/limits", "recalled"),
    "Express executions started": Limit(6_000, "refill", "step-functions/limits", "recalled"),
    "PutEvents entries": Limit(10_000, "account", "eventbridge/quota", "2026, copy"),
    "EventBridge targets called": Limit(18_750, "account", "eventbridge/quota", "page"),
    "WRU of one table": Limit(40_000, "table", "dynamodb/ServiceQuotas", "recalled"),
}
EXPRESS_GB = 64 / 1024  # that an Express execution is billed for at least
EXPRESS_STEP = 0.1  # seconds, rounded up
EVENT_BYTES = 64 * 1024


def usd(name: str, amount: float) -> float:
    return PRICES[name].usd * amount
