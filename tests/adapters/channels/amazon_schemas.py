"""What Amazon has published of the requests that are made to it, trimmed to what is checked.

Source: the Swagger models of `amzn/selling-partner-api-models` (Apache-2.0): ordersV0 (definitions
ConfirmShipmentRequest, PackageDetail, ConfirmShipmentOrderItem), feeds_2021-06-30
(CreateFeedDocumentSpecification, CreateFeedSpecification), listingsItems_2021-08-01
(ListingsItemPatchRequest, PatchOperation), orders_2026-01-01 (parameters of getOrder and
searchOrders). The token exchange is from the documentation of Login with Amazon: there is no schema
of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": str}
CONFIRM_SHIPMENT: Schema = {
    "type": dict,
    "required": ["marketplaceId", "packageDetail"],
    "properties": {
        "marketplaceId": TEXT,
        "codCollectionMethod": {"type": str, "enum": ["DirectPayment"]},
        "packageDetail": {
            "type": dict,
            "required": [
                "packageReferenceId",
                "carrierCode",
                "trackingNumber",
                "shipDate",
                "orderItems",
            ],
            "properties": {
                "packageReferenceId": {"type": str, "pattern": r"[1-9][0-9]*"},
                "carrierCode": TEXT,
                "carrierName": TEXT,
                "shippingMethod": TEXT,
                "trackingNumber": TEXT,
                "shipDate": {"type": str, "pattern": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"},
                "shipFromSupplySourceId": TEXT,
                "orderItems": {
                    "type": list,
                    "items": {
                        "type": dict,
                        "required": ["orderItemId", "quantity"],
                        "properties": {"orderItemId": TEXT, "quantity": {"type": int}},
                    },
                },
            },
        },
    },
}
CREATE_FEED_DOCUMENT: Schema = {
    "type": dict,
    "required": ["contentType"],
    "properties": {"contentType": TEXT},
}
CREATE_FEED: Schema = {
    "type": dict,
    "required": ["inputFeedDocumentId", "feedType", "marketplaceIds"],
    "properties": {
        "feedType": TEXT,
        "marketplaceIds": {"type": list, "items": TEXT, "minItems": 1, "maxItems": 25},
        "inputFeedDocumentId": TEXT,
        "feedOptions": {"type": dict},
    },
}
PATCH_LISTING: Schema = {
    "type": dict,
    "required": ["productType", "patches"],
    "properties": {
        "productType": TEXT,
        "patches": {
            "type": list,
            "minItems": 1,
            "items": {
                "type": dict,
                "required": ["op", "path"],
                "properties": {
                    "op": {"type": str, "enum": ["add", "replace", "delete"]},
                    "path": {"type": str, "pattern": r"(/[^/]+)+"},
                    "value": {"type": list, "items": {"type": dict}},
                },
            },
        },
    },
}
GET_ORDER = {"includedData"}
SEARCH_ORDERS = {
    "createdAfter",
    "createdBefore",
    "lastUpdatedAfter",
    "lastUpdatedBefore",
    "fulfillmentStatuses",
    "marketplaceIds",
    "fulfilledBy",
    "maxResultsPerPage",
    "paginationToken",
    "includedData",
}
INCLUDED_DATA = {
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
    "PAYMENT",
    "FULFILLMENT_ORDERS",
}


def wrong(found: Any, schema: Schema, at: str = "body") -> Iterator[str]:
    """Every place where it is not what the schema says; fields that it does not name are wrong."""
    if not isinstance(found, schema["type"]) or isinstance(found, bool):
        yield f"{at} is no {schema['type'].__name__}"
        return
    if found not in schema.get("enum", [found]):
        yield f"{at} is none of {schema['enum']}"
    if "pattern" in schema and not re.fullmatch(schema["pattern"], found):
        yield f"{at} is not of the form {schema['pattern']}"
    if isinstance(found, dict):
        yield from _wrong_fields(found, schema, at)
    if isinstance(found, list):
        if not schema.get("minItems", 0) <= len(found) <= schema.get("maxItems", len(found)):
            yield f"{at} has {len(found)} items"
        for place, each in enumerate(found):
            yield from wrong(each, schema["items"], f"{at}[{place}]")


def _wrong_fields(found: dict[str, Any], schema: Schema, at: str) -> Iterator[str]:
    known = schema.get("properties")
    if known is None:
        return
    yield from (f"{at}.{name} is missing" for name in schema["required"] if name not in found)
    for name, value in found.items():
        if name not in known:
            yield f"{at}.{name} is unknown"
        else:
            yield from wrong(value, known[name], f"{at}.{name}")
