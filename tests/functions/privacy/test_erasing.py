"""A person is erased: nothing that is kept anywhere names them, opens, or comes back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from functions.bulk import load_orders
from functions.capture import drafts_api
from functions.credit import api as credit
from functions.policies import api as policies
from functions.privacy import api, tend_privacy
from functions.privacy.desk import desk
from functions.privacy.strays import Marks
from functions.privacy.tend_privacy import tend
from oms.adapters import dynamodb as db
from oms.adapters.erasures import erasures
from oms.adapters.files import files
from oms.adapters.jobs_table import Step, jobs_table
from oms.adapters.person_keys import Box, KeyDestroyed, PersonKeys, person_keys
from oms.adapters.secrets import secrets
from oms.adapters.vault import Destroyed, vault
from oms.contracts.csv_rows import Refused
from oms.contracts.routes import ROUTES
from oms.domain import commands as c
from oms.domain.jobs import Job, Progress, SlicePlan
from tests.functions.doors import House, ask, forget, house
from tests.functions.privacy.person import EMAIL, Life, found_in, later
from tests.functions.world import now
from tests.tables import create_table

__all__ = ["house"]
pytestmark = pytest.mark.cloud


@pytest.fixture
def life(house: House, monkeypatch: pytest.MonkeyPatch) -> Life:
    client, name = house.cloud.client("dynamodb"), house.environment["FILES_BUCKET"]
    house.environment["JOBS_TABLE"] = create_table(client, "jobs", f"jobs-{name}")
    monkeypatch.setenv("JOBS_TABLE", house.environment["JOBS_TABLE"])
    return Life(house)


def say(**policy: Any) -> None:
    body = {"version": 0, "document": policy}
    assert ask(policies, "PUT /policies/{policy}", body, policy="privacy")[0] == 200
    forget()


def erase(customer_id: str) -> tuple[int, Any]:
    return ask(api, "POST /customers/{customer_id}/erase", customer_id=customer_id)


def finish() -> dict[str, int]:
    forget()
    return tend(desk(), later())


def rows_of(house: House, customer_id: str) -> list[Any]:
    return [row for row in house.rows("customers") if row["PK"]["S"] == f"PERSON#{customer_id}"]


def put_back(house: House, rows: list[Any]) -> None:
    """As a restore does."""
    for row in rows:
        table = house.environment["CUSTOMERS_TABLE"]
        house.cloud.client("dynamodb").put_item(TableName=table, Item=row)


def test_the_api_serves_exactly_its_routes() -> None:
    assert api.app.routes == {(r.method, r.path) for r in ROUTES if r.function_id == "PrivacyApi"}


def test_before_an_erasure_a_person_is_named_in_files_for_people_and_nowhere_else(
    life: Life,
) -> None:
    life.known_everywhere()

    places = found_in(life.house)

    assert {place.split()[0] for place in places} == {"file"}
    folders = {place.split()[1].split("/")[0] for place in places}
    assert folders == {"documents", "imports", "labels", "mail"}


def test_after_an_erasure_nothing_in_tables_streams_and_files_names_the_person(
    life: Life, capsys: pytest.CaptureFixture[str]
) -> None:
    say(document_years=0)
    _, customer_id = life.known_everywhere()
    assert ask(api, "POST /customers/{customer_id}/export", customer_id=customer_id)[0] == 201
    assert any(place.startswith("file exports/") for place in found_in(life.house))

    status, erased = erase(customer_id)

    assert (status, erased.get("status")) == (200, "erasing"), erased
    assert found_in(life.house) == {}
    finish()
    assert found_in(life.house) == {}
    assert EMAIL not in capsys.readouterr().out
    kinds = {"contact", "profile", "inquiry", "drafts", "messages of shops"}
    folders = {"files in documents", "files in exports", "files in imports", "files in labels"}
    assert kinds | folders <= erased["counts"].keys()


def test_rows_that_a_load_has_refused_are_kept_for_nobody_to_read_and_go_with_the_person(
    life: Life,
) -> None:
    _, customer_id = life.completed()
    name = life.house.environment["JOBS_TABLE"]
    jobs, shelf, box = jobs_table(), files(), Box(person_keys())
    csv = f"order,currency,sku,quantity,unit_price,paid,email\nZ-9,USD,?,x,1,0,{EMAIL}\n".encode()
    said = {"size": len(csv), "channel": "web", "etag": ""}
    job = jobs.add(Job("job_z", load_orders.KIND, said, "test", now(), started_at=now()))
    shelf.write("imports/job_z.csv", [csv])
    refused = msgspec.json.encode([Refused(2, "quantity", "is no number", ("Z-9", EMAIL))])
    step = Step(cursor=(1, 1), kept=box.close(job.job_id, refused))
    jobs.begin(job, [SlicePlan({})], now())
    jobs.advance(job, jobs.slices(job.job_id)[0], step, now())

    (kept,) = jobs.kept(job.job_id)
    assert box.open(job.job_id, kept) == refused
    assert set(found_in(life.house)) == {"file imports/job_z.csv"}
    status, problem = erase(customer_id)
    assert (status, "is being loaded by job_z" in problem["detail"]) == (409, True)
    jobs.change(job.job_id, lambda each: each.cancelled(Progress(), now()))
    assert erase(customer_id)[0] == 200
    finish()

    assert name
    assert found_in(life.house) == {}
    with pytest.raises(KeyDestroyed):
        box.open(job.job_id, kept)


def test_others_are_as_they_were(life: Life) -> None:
    _, customer_id = life.known_everywhere()
    status, other = _ada(life)

    erase(customer_id)
    finish()

    contact = vault().contact(other["customer_id"], other["order_id"])
    assert contact
    assert contact.email == "ada@example.com"
    bucket = life.house.environment["FILES_BUCKET"]
    listed = life.house.cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert "imports/job_of_others.csv" in {each["Key"] for each in listed}
    assert status == 201


def test_whose_address_ends_or_goes_on_like_the_persons_is_somebody_else(life: Life) -> None:
    _, customer_id = life.known_everywhere()
    others = [f"jo.{EMAIL}", f"jo{EMAIL}", f"{EMAIL}.au"]
    drafts = [
        ask(drafts_api, "POST /drafts", {"currency": "USD", "customer": {"email": each}})
        for each in others
    ]

    erase(customer_id)

    for (status, draft), email in zip(drafts, others, strict=True):
        assert status == 201
        route, draft_id = "GET /drafts/{draft_id}", draft["draft_id"]
        shown = ask(drafts_api, route, draft_id=draft_id)
        assert shown[0] == 200, (email, shown)


@pytest.mark.parametrize(
    "said",
    [
        f"<{EMAIL}>",
        f"{EMAIL.upper()}.",
        f"mailto:{EMAIL}",
        f'{{"note": "from\\n{EMAIL}\\n"}}',
        f"\\u003c{EMAIL}\\u003e",
        f"to=%3c{EMAIL}%3e",
        f"a;{EMAIL};b",
        f"jo{EMAIL} or {EMAIL}",
    ],
)
def test_the_persons_address_is_found_whatever_is_around_it(said: str) -> None:
    assert Marks(frozenset({EMAIL}), frozenset()).are_in(said)


def _ada(life: Life) -> tuple[int, Any]:
    from functions.capture import api as capture
    from tests.functions.capture.test_api import basket

    return ask(capture, "POST /orders", basket())


def test_amounts_orders_and_credit_stay(life: Life) -> None:
    order_id, customer_id = life.completed()
    issue = {"amount": 500, "currency": "USD", "reason": "sorry"}
    route = "POST /customers/{customer_id}/store-credit"
    headers = {"Idempotency-Key": "k"}
    assert ask(credit, route, issue, customer_id=customer_id, headers=headers)[0] == 201
    before = [row for row in life.house.rows("orders") if row["PK"]["S"] != "POLICY#privacy"]

    erase(customer_id)
    finish()

    assert life.house.rows("orders") == before
    assert life.house.orders.get(order_id).total == 2500


def test_nothing_from_a_backup_opens_when_the_keys_are_destroyed(life: Life) -> None:
    """Not by the rows, not by the key of KMS: the rows and the shared keys are all there."""
    order_id, customer_id = life.completed()
    backup = rows_of(life.house, customer_id)
    erase(customer_id)
    finish()

    put_back(life.house, backup)
    forget()

    assert vault().contact(customer_id, order_id) is None
    row = next(row for row in backup if row["SK"]["S"].startswith("CONTACT#"))
    bound = f"{customer_id}\x1f{order_id}".encode()
    with pytest.raises(Destroyed):
        vault().unseal("contact", bound, row)
    with pytest.raises(Destroyed):
        vault(salvages=True).unseal("contact", bound, row)


def test_after_a_restore_the_register_takes_the_rows_away_again(life: Life) -> None:
    _, customer_id = life.known_everywhere()
    backup = rows_of(life.house, customer_id)
    erase(customer_id)
    finish()
    put_back(life.house, backup)

    said = tend_privacy.handler({"reapply": True}, None)

    assert said["persons"] == 1
    assert said["rows"] >= 4
    assert rows_of(life.house, customer_id) == []
    assert tend_privacy.handler({"reapply": True}, None)["rows"] == 0


def test_a_row_from_before_there_were_keys_of_persons_goes_after_a_restore_too(
    life: Life,
) -> None:
    _, customer_id = life.completed()
    backup = [
        {name: value for name, value in row.items() if name != "ring"}
        for row in rows_of(life.house, customer_id)
    ]
    erase(customer_id)
    finish()
    put_back(life.house, backup)

    tend_privacy.handler({"reapply": True}, None)

    assert rows_of(life.house, customer_id) == []


def test_who_orders_again_is_known_by_that_order_only(life: Life) -> None:
    first, customer_id = life.completed()
    backup = rows_of(life.house, customer_id)
    erase(customer_id)
    finish()
    forget()
    again, same = life.order("Z-2")
    put_back(life.house, backup)

    tend_privacy.handler({"reapply": True}, None)

    assert same == customer_id
    assert vault().contact(customer_id, first) is None
    contact = vault().contact(customer_id, again)
    assert contact
    assert contact.email == EMAIL


def test_an_order_that_a_worker_took_without_knowing_keeps_its_address(life: Life) -> None:
    """For five minutes a worker remembers keys that have been retired since."""
    first, customer_id = life.completed()
    vault().contact(customer_id, first)  # it has read the seeds
    worker = vault()._keys
    assert worker
    forget()
    erase(customer_id)
    forget()
    known = vault()
    known._keys = worker  # as it still is in another environment
    again, _ = life.order("Z-2")
    row = next(row for row in rows_of(life.house, customer_id) if again in row["SK"]["S"])
    assert db.number(row, "ring") == 0

    finish()

    contact = vault().contact(customer_id, again)
    assert contact
    assert contact.email == EMAIL
    with pytest.raises(Destroyed):
        vault().unseal("contact", f"{customer_id}\x1f{again}".encode(), row)


def test_an_open_order_is_a_reason_to_wait_unless_the_policy_says_otherwise(life: Life) -> None:
    order_id, customer_id = life.order()

    status, problem = erase(customer_id)

    assert status == 409
    assert f"{order_id} is under way" in problem["detail"]
    assert vault().contact(customer_id, order_id)
    say(erase_open_orders=True)
    assert erase(customer_id)[0] == 200


def test_an_erasure_that_died_after_it_was_begun_is_done_by_the_clock(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(document_years=0)
    first, customer_id = life.known_everywhere()
    with monkeypatch.context() as dying:
        dying.setattr(PersonKeys, "retire", lambda *_: 1 / 0)
        assert erase(customer_id)[0] == 500
    again, _ = life.order("Z-2")  # by the key that is not retired yet

    forget()
    tend(desk(), later(1))
    assert found_in(life.house) == {}
    assert erasures().pending(customer_id)
    forget()
    tend(desk(), later(2))
    forget()

    assert erasures().done(customer_id)
    assert vault().contact(customer_id, first) is None
    contact = vault().contact(customer_id, again)
    assert contact
    assert contact.email == EMAIL


def test_money_on_its_way_is_a_reason_to_wait(life: Life) -> None:
    order_id, customer_id = life.order()
    life.do(order_id, c.CancelOrder("requested"))
    order = life.house.orders.get(order_id)

    status, problem = erase(customer_id)

    assert order.is_final
    assert (status == 409) == bool(order.payment.unsettled)
    assert status == 200 or "money on its way" in problem["detail"]


def test_to_erase_twice_is_to_erase_once(life: Life) -> None:
    _, customer_id = life.known_everywhere()

    first, again = erase(customer_id), erase(customer_id)
    assert first[0] == again[0] == 200
    assert again[1]["asked_at"] == first[1]["asked_at"]
    finish()
    status, done = erase(customer_id)

    assert (status, done["status"], done["times"]) == (200, "erased", 1)
    assert done["asked_at"] == first[1]["asked_at"]


def test_nobody_who_is_not_known_is_erased(life: Life) -> None:
    assert erase("cus_nobody")[0] == 404
    assert life.house.rows("keys") == []


def test_mails_of_the_person_that_nobody_vouched_for_go_too(life: Life) -> None:
    _, customer_id = life.completed()
    stranger = secrets().unbelieved_id(EMAIL)
    life.question(stranger)

    status, erased = erase(customer_id)
    finish()

    assert (status, erased["counts"]["inquiry"]) == (200, 2)
    assert rows_of(life.house, stranger) == []
    assert [x for x in erasures().all_done() if stranger in {key.name for key in x.keys}]


def test_the_keys_are_not_destroyed_before_every_worker_has_heard(life: Life) -> None:
    _, customer_id = life.completed()
    erase(customer_id)

    assert tend(desk(), later(0))["erased"] == 0
    pending = erasures().pending(customer_id)
    assert pending
    assert not any(desk().keys.is_destroyed(each) for each in pending.keys)
    assert finish()["erased"] == 1
    assert all(desk().keys.is_destroyed(each) for each in pending.keys)


def test_invoices_stay_as_they_were_sent_as_long_as_the_law_says(life: Life) -> None:
    _, customer_id = life.known_everywhere()

    status, erased = erase(customer_id)

    assert status == 200
    places = found_in(life.house)
    assert places
    assert {place.split("/")[0] for place in places} == {"file retained"}
    assert any("1 invoices" in each for each in erased["stays"])
    tend(desk(), later(24 * 366 * 12))
    assert found_in(life.house) == {}


def test_merged_identities_are_erased_together(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    from oms.adapters.identities_table import identities_table

    order_id, customer_id = life.completed()
    identities_table().merge("cus_root", customer_id, at=now(), by="test")

    status, erased = erase(customer_id)
    finish()

    assert (status, set(erased["identities"])) == (200, {"cus_root", customer_id})
    assert vault().contact(customer_id, order_id) is None
    assert found_in(life.house) == {}
