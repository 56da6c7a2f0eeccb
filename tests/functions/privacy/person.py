"""A person with words that nobody else has, wherever a shop may come to know them; and a search of
everything that a cloud keeps."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.capture import api as capture
from functions.capture import drafts_api
from functions.invoices import api as invoices
from oms.adapters.channel_inbox import FAILED, Kept, channel_inbox
from oms.adapters.customers_table import customers_table
from oms.adapters.files import files
from oms.adapters.inquiry_texts import Correspondent, TextKind, Written, inquiry_texts
from oms.adapters.labels_table import LabelRow, LabelStatus, labels_table
from oms.adapters.vault import vault
from oms.adapters.webhooks import Call
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact
from oms.domain.customers import seen_on
from oms.domain.fulfillment import Quantity
from oms.domain.ids import fulfillment_order_id, label_id
from oms.domain.tracking import TrackingStatus
from tests.builders import RECORD, paid, scans
from tests.functions.doors import House, ask
from tests.functions.world import now

EMAIL = "zebedee.quux@example.test"
PERSONAL = (EMAIL, "Zebedee", "Quux", "0147-77", "Bramblewick", "Porterhouse-9", "QX7 4ZZ")
ADDRESS = {
    "name": "Zebedee Quux",
    "company": "Porterhouse-9 Ltd",
    "line1": "77 Bramblewick Lane",
    "city": "Austin",
    "region": "TX",
    "postal_code": "QX7 4ZZ",
    "country": "US",
    "phone": "+1 512 0147-77",
}


def basket(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "channel": "web",
        "external_id": "Z-1",
        "currency": "USD",
        "customer": {"email": EMAIL, "name": "Zebedee Quux", "phone": "+1 512 0147-77"},
        "shipping_address": ADDRESS,
        "lines": [{"sku": "MUG", "quantity": 2, "unit_price": 1000}],
        "shipping": {"method": "standard", "price": 500},
        "total": 2500,
        "payment": {"provider": "test", "token": "tok_ok"},
    }
    return {**said, **changes}


@dataclass
class Life:
    """Of one person, in a house."""

    house: House

    def order(self, external_id: str = "Z-1") -> tuple[str, str]:
        """Placed; the order and its customer."""
        self.house.stocked("MUG", 5)
        status, order = ask(capture, "POST /orders", basket(external_id=external_id))
        assert status in (200, 201), order
        return order["order_id"], order["customer_id"]

    def completed(self, external_id: str = "Z-1") -> tuple[str, str]:
        order_id, customer_id = self.order(external_id)
        box = fulfillment_order_id(order_id, 1)
        part = e.Assigned(box, "AUSTIN", (Quantity("line_1", 2),))
        parcel = e.PackedParcel("easypost", f"EZ{external_id}", part.lines)
        self.do(order_id, paid("op_1"), c.RecordRouting((part,), RECORD))
        self.do(order_id, c.PickFulfillmentOrder(box), c.PackFulfillmentOrder(box))
        self.do(order_id, c.ShipFulfillmentOrder(box, (parcel,)))
        unsettled = self.house.orders.get(order_id).payment.unsettled
        self.do(order_id, *(paid(each.operation_id) for each in unsettled))
        since = now() - timedelta(days=1)
        delivered = scans(f"EZ{external_id}", TrackingStatus.DELIVERED, since=since)
        self.do(order_id, delivered)
        return order_id, customer_id

    def do(self, order_id: str, *commands: c.Command) -> None:
        for command in commands:
            self.house.orders.change(order_id, command, at=now(), actor="test")

    def known_everywhere(self) -> tuple[str, str]:
        """An order with its papers, a draft, a message nobody understood, a question, a profile,
        a list that was loaded."""
        order_id, customer_id = self.completed()
        assert ask(invoices, "POST /orders/{order_id}/documents", order_id=order_id)[0] == 200
        self.label(order_id)
        draft = {"currency": "USD", "customer": {"email": EMAIL, "name": "Zebedee Quux"}}
        assert ask(drafts_api, "POST /drafts", draft)[0] == 201
        self.message()
        self.question(customer_id)
        contact = vault().contact(customer_id, order_id) or Contact()
        seen = seen_on(order_id, contact, "web", now())
        customers_table().change(customer_id, lambda _: seen)
        csv = f"email,name,line1\n{EMAIL},Zebedee Quux,77 Bramblewick Lane\n"
        files().write("imports/job_old.csv", [csv.encode()])
        files().write("mail/m-1", [f"From: {EMAIL}\n\nWhere is it?".encode()])
        files().write("imports/job_of_others.csv", [b"email,name\nada@example.com,Ada\n"])
        return order_id, customer_id

    def label(self, order_id: str) -> None:
        box = fulfillment_order_id(order_id, 1)
        name = f"labels/{label_id(box, 'k')}.pdf"
        files().write(name, [b"To: Zebedee Quux, 77 Bramblewick Lane"])
        row = LabelRow(label_id(box, "k"), box, "AUSTIN", "manual", "std", "f", now(), now(), 500)
        documents = (name,)
        labels_table().save(
            LabelRow(
                **{
                    **{name: getattr(row, name) for name in row.__slots__},
                    "documents": documents,
                    "status": LabelStatus.BOUGHT,
                }
            )
        )

    def message(self) -> None:
        body = json.dumps({"buyer": {"email": EMAIL, "name": "Zebedee Quux"}}).encode()
        call = Call(body, {}, {}, "https://us.example/channels/web", now())
        channel_inbox().failed(Kept("msg_z", "shopify", FAILED, now(), "no total", call=call))

    def question(self, customer_id: str) -> None:
        texts, whose = inquiry_texts(), (customer_id, "inq_1")
        written = Written("Where is my parcel? Zebedee Quux, 77 Bramblewick Lane")
        writes = texts.writes(whose, 1, written, TextKind.MESSAGE, now(), "customer")
        writes += texts.correspondent_writes(whose, Correspondent(EMAIL, "Zebedee Quux"))
        self.house.cloud.client("dynamodb").transact_write_items(
            TransactItems=[dict(each.item) for each in writes]
        )


def found_in(house: House) -> dict[str, set[str]]:
    """Where any of the person's words stands to be read: in a row, a record of a stream, a file."""
    places: dict[str, set[str]] = {}
    for place, octets in everything(house):
        text = octets.decode(errors="replace").lower()
        if words := {each for each in PERSONAL if each.lower() in text}:
            places.setdefault(place, set()).update(words)
    return places


def everything(house: House) -> Iterator[tuple[str, bytes]]:
    dynamodb = house.cloud.client("dynamodb")
    for name, table in house.environment.items():
        if name.endswith("_TABLE"):
            for row in dynamodb.scan(TableName=table)["Items"]:
                yield from ((f"table {name}", each) for each in octets_of(row))
            told = records_of(dynamodb, house.cloud.client("dynamodbstreams"), table)
            yield from ((f"stream of {name}", each) for each in told)
    client, bucket = house.cloud.client("s3"), house.environment["FILES_BUCKET"]
    for each in client.list_objects_v2(Bucket=bucket).get("Contents", ()):
        body = client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        yield from ((f"file {each['Key']}", octets) for octets in inflated(body))


def records_of(dynamodb: Any, client: Any, table: str) -> Iterator[bytes]:
    stream = dynamodb.describe_table(TableName=table)["Table"].get("LatestStreamArn")
    if stream is None:
        return
    for shard in client.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
        iterator = client.get_shard_iterator(
            StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator)
            if not page["Records"]:
                break
            for record in page["Records"]:
                yield from octets_of(record["dynamodb"].get("NewImage", {}))
            iterator = page.get("NextShardIterator")


def octets_of(value: Any) -> Iterator[bytes]:
    """All texts and bytes in it, as they are and as they were before they were packed."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield name.encode()
            yield from octets_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from octets_of(each)
    elif isinstance(value, bytes):
        yield from inflated(value)
    else:
        yield str(value).encode()


def inflated(octets: bytes) -> Iterator[bytes]:
    yield octets
    for how in (gzip.decompress, zlib.decompress, lambda x: zlib.decompress(x, -zlib.MAX_WBITS)):
        try:
            yield how(octets)
        except (OSError, zlib.error, EOFError):
            continue
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", octets, re.DOTALL):
        try:
            yield zlib.decompress(base64.a85decode(b"<~" + stream.strip(), adobe=True))
        except (ValueError, zlib.error):
            continue


def later(hours: float = 1) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)
