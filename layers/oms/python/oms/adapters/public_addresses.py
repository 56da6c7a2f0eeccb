"""Connections to the public network alone: what a person puts in as the address of a shop must lead
neither into a private network nor to the machine that asks.

It is looked at when the connection is there, and before anything is said on it: by then a name is
an address, and no other answer of its name server can change which.
"""

from __future__ import annotations

from ipaddress import ip_address
from socket import socket

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from oms.domain import public_addresses


def only_public(pool: PoolManager) -> None:
    pool.pool_classes_by_scheme = {"http": _PublicHttpPool, "https": _PublicHttpsPool}


def is_public(address: str) -> bool:
    """Of an IP address, which may name its zone."""
    return public_addresses.is_public(ip_address(address.partition("%")[0]))


def _checked(connection: HTTPConnection, made: socket) -> socket:
    if is_public(made.getpeername()[0]):
        return made
    made.close()
    raise NewConnectionError(connection, "the address is no public one")


class _PublicHttp(HTTPConnection):
    def _new_conn(self) -> socket:
        return _checked(self, super()._new_conn())


class _PublicHttps(HTTPSConnection):
    def _new_conn(self) -> socket:
        return _checked(self, super()._new_conn())


class _PublicHttpPool(HTTPConnectionPool):
    ConnectionCls = _PublicHttp


class _PublicHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHttps
