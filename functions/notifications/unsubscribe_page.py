"""For the owner of an address: choose what to hear of, by a page without script, or by the one
click that mail clients offer (RFC 8058). Only a POST changes anything: mail scanners follow links.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from html import escape
from typing import Any
from urllib.parse import parse_qs

from functions.notifications.tokens import address_of
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.standings import standings
from oms.domain.notices.standing import Standing
from oms.domain.notices.wording import TEXTS, language_of

ENVIRONMENT: tuple[str, ...] = ("CUSTOMERS_TABLE", "SECRET_ID")
MAX_FORM = 5_000  # bytes
STYLE = """
:root{color-scheme:light dark;--ink:#1b1f23;--paper:#fff;--ground:#f4f5f7;--mark:#0b5cad;--on:#fff;
--line:#57606a}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#161b22;--ground:#0d1117;
--mark:#6cb6ff;--on:#0d1117;--line:#9aa5b1}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:36rem;margin:0 auto;padding:1rem}
form,.told{background:var(--paper);border:1px solid var(--line);border-radius:.75rem;padding:1rem;
margin:1rem 0}
h1{font-size:1.5rem;line-height:1.25}
label{display:flex;gap:.75rem;align-items:flex-start;padding:.6rem 0}
input{width:1.4rem;height:1.4rem;flex:none;margin:0;accent-color:var(--mark)}
button{background:var(--mark);color:var(--on);border:0;border-radius:.5rem;padding:.75rem 1.25rem;
font:inherit;font-weight:600;min-height:2.75rem;margin-top:.5rem;cursor:pointer}
button:focus-visible,input:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
.told{border-left:4px solid var(--mark)}
""".strip()
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Mapping[str, str] = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",  # the address is the key
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}

app = HttpApi("UnsubscribePage")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/notices/unsubscribe/{token}")
def see(request: Request) -> Response:
    standing = standings().of(_address(request))
    return Response(200, page(standing, _language(request)), HEADERS)


@app.route("POST", "/notices/unsubscribe/{token}")
def choose(request: Request) -> Response:
    address_id, said, at = _address(request), form_of(request), datetime.now(UTC)
    if said.get("List-Unsubscribe") == "One-Click":
        standings().stop_mails(address_id, at)
    elif "save" in said:
        mails, texts = "mails" in said, "texts" in said
        standings().choose(address_id, at, mails=mails, texts=texts)
    else:
        raise Problem(422, "Invalid request", "nothing was chosen")
    # As it was written just now: a read might be a moment too old.
    standing = Standing(mails="mails" in said, texts="texts" in said)
    return Response(200, page(standing, _language(request), saved=True), HEADERS)


def _address(request: Request) -> str:
    address_id = address_of(request.path["token"])
    if address_id is None:
        raise Problem(404, "Not found", "there is no such page")
    return address_id


def form_of(request: Request) -> dict[str, str]:
    """As browsers send it, or as mail clients may, in parts."""
    kind = request.headers.get("content-type", "")
    if kind.strip().lower().startswith("multipart/form-data"):
        return dict(in_parts(kind, request.body[:MAX_FORM]))
    try:
        said = parse_qs(request.body.decode(), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in said.items()}


def in_parts(kind: str, body: bytes) -> Iterator[tuple[str, str]]:
    """RFC 7578."""
    whole = message_from_bytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body)
    for part in whole.walk():
        name, value = part.get_param("name", header="content-disposition"), part.get_payload()
        if isinstance(name, str) and isinstance(value, str):
            yield name, value.strip()


def _language(request: Request) -> str:
    asked = (request.query.get("lang") or [""])[0]
    return language_of(asked or request.headers.get("accept-language", "")[:2])


def page(standing: Standing, language: str, *, saved: bool = False) -> str:
    words = {name: escape(text) for name, text in TEXTS[language].items()}
    told = f'<p class="told" role="status">{words["choose.saved"]}</p>' if saved else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{words['choose.title']}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{words['choose.title']}</h1>{told}<p>{words['choose.who']}</p>"
        '<form method="post"><input type="hidden" name="save" value="1">'
        f"{_choice('mails', words['choose.mails'], on=standing.mails)}"
        f"{_choice('texts', words['choose.texts'], on=standing.texts)}"
        f'<button type="submit">{words["choose.save"]}</button></form>'
        f"<p>{words['choose.always']}</p></main></body></html>"
    )


def _choice(name: str, label: str, *, on: bool) -> str:
    checked = " checked" if on else ""
    return f'<label><input type="checkbox" name="{name}"{checked}><span>{label}</span></label>'
