"""Signatures by a key that only the sender has."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.rsa_signatures import is_signed

BODY = '{"said":"測試"}'.encode()


@cache
def private(name: str) -> RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def sign(octets: bytes, name: str = "shop") -> str:
    signed = private(name).sign(octets, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signed).decode()


def pem(name: str = "shop") -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private(name).public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def one_line(name: str = "shop") -> str:
    return "".join(pem(name).splitlines()[1:-1])


def web_key(name: str = "shop") -> str:
    numbers = private(name).public_key().public_numbers()

    def octets(number: int) -> str:
        whole = number.to_bytes(-(-number.bit_length() // 8))
        return base64.urlsafe_b64encode(whole).decode().rstrip("=")

    return json.dumps({"kty": "RSA", "n": octets(numbers.n), "e": octets(numbers.e)})


@pytest.mark.parametrize("form", [pem, one_line, web_key])
def test_a_key_is_pem_or_one_line_of_its_der_or_a_web_key(form: object) -> None:
    assert callable(form)
    assert is_signed(BODY, sign(BODY), form())
    assert not is_signed(BODY + b"\n", sign(BODY), form())
    assert not is_signed(BODY, sign(BODY, "another"), form())
    assert not is_signed(BODY, sign(BODY), form("another"))


@pytest.mark.parametrize(
    "signature", ["", "AAAA", "no base64!", "é", "A" * 5_000, base64.b64encode(b"x" * 256).decode()]
)
def test_what_is_no_signature_is_refused(signature: str) -> None:
    assert not is_signed(BODY, signature, pem())


def test_a_signature_by_another_rule_is_refused() -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    others = (
        private("shop").sign(BODY, pss, hashes.SHA256()),
        private("shop").sign(BODY, padding.PKCS1v15(), hashes.SHA512()),
    )
    for signed in others:
        assert not is_signed(BODY, base64.b64encode(signed).decode(), pem())


def test_what_is_no_rsa_key_signs_nothing() -> None:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    other = curve.public_bytes(serialization.Encoding.PEM, form).decode()
    broken = ('{"kty": "EC"}', '{"n": 5, "e": 3}', '{"n": "AQ", "e": "AQ"}', "{", '{"n": null}')
    cut = ("-----BEGIN PUBLIC KEY-----\nAAAA", pem()[:200])
    for key in ("", "secret", "é", other, *cut, *broken):
        assert not is_signed(BODY, sign(BODY), key)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_other_byte_is_refused(place: int, flip: int) -> None:
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(BODY))

    assert not is_signed(forged, sign(BODY), pem())


def test_importing_it_does_not_import_cryptography() -> None:
    code = "import sys, oms.adapters.rsa_signatures; sys.exit('cryptography' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
