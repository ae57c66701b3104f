"""Connections to ClickHouse over HTTP: one pooled, thread-safe client per process and address."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

import clickhouse_connect
from clickhouse_connect import common
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.httputil import check_env_proxy, get_pool_manager
from django.db import connections
from urllib3.poolmanager import PoolManager

from .options import SESSION_TIME_ZONE, Address, read_address

ALIAS = "clickhouse"
POOL_SIZE = 64  # idle connections kept per process; more are opened when needed and closed after use

# 240 characters, the library's default, cut ClickHouse's message before its cause.
common.set_setting("max_error_size", 2000)
# A dict is a Map, not JSON text.
common.set_setting("dict_parameter_format", "map")

_clients: dict[Address, Client] = {}
_pools: dict[Address, PoolManager] = {}


def _forget() -> None:
    """A forked child opens its own connections: two processes on one socket would read each other's answers."""
    # Kept referenced: closing the inherited sockets here would take locks that another thread held at the fork.
    _inherited.append((dict(_clients), dict(_pools)))
    _clients.clear()
    _pools.clear()


_inherited: list[Any] = []
os.register_at_fork(after_in_child=_forget)


def current_address() -> Address:
    """The address of alias `clickhouse` as it stands now: a test database while tests run."""
    return read_address(connections.settings[ALIAS])


def get_client(**overrides: Any) -> Client:
    """This process' client of alias `clickhouse`, with fields of `Address` replaced, such as `send_receive_timeout=5`.

    Raises clickhouse_connect's OperationalError when the server cannot be reached, DatabaseError when it refuses.
    """
    return shared_client(connections.settings[ALIAS], **overrides)


def shared_client(settings_dict: Mapping[str, Any], **overrides: Any) -> Client:
    """The client of a Django database's settings, opened at first use and then kept by the process."""
    address = replace(read_address(settings_dict), **overrides)
    client = _clients.get(address)
    if client is None:
        # Opened without a lock: a server that does not answer must not queue the threads up behind one another.
        client = _clients.setdefault(address, _open(address))
    return client


def open_client(settings_dict: Mapping[str, Any], **overrides: Any) -> Client:
    """A client for the caller alone, with fields of `Address` replaced, such as `connect_timeout=2`."""
    return _open(replace(read_address(settings_dict), **overrides))


def pool_of(address: Address) -> PoolManager:
    """The HTTP connections to a server, shared by all clients that reach it in the same way."""
    place = replace(
        address, user="", password="", database=None, settings=(), connect_timeout=0, send_receive_timeout=0
    )
    pool = _pools.get(place)
    if pool is None:
        pool = _pools.setdefault(place, _make_pool(place))
    return pool


def close_clients() -> None:
    """Close every idle connection of this process; the next query opens new ones."""
    for pool in list(_pools.values()):
        pool.clear()
    _clients.clear()
    _pools.clear()


def _make_pool(address: Address) -> PoolManager:
    options: dict[str, Any] = {"maxsize": POOL_SIZE, "verify": address.verify}
    if address.secure:
        options |= {
            "ca_cert": address.ca_cert,
            "client_cert": address.client_cert,
            "client_cert_key": address.client_cert_key,
        }
        if address.server_host_name:
            options["server_hostname"] = address.server_host_name
            if address.verify:
                options["assert_hostname"] = address.server_host_name
    scheme = "https" if address.secure else "http"
    # A proxy of the environment is for other machines.
    proxy = None if address.is_loopback else check_env_proxy(scheme, address.host, address.port)
    if proxy:
        options[f"{scheme}_proxy"] = proxy
    return get_pool_manager(**options)


def _open(address: Address) -> Client:
    client = clickhouse_connect.get_client(
        interface="https" if address.secure else "http",
        host=address.host,
        port=address.port,
        username=address.user,
        password=address.password,
        database=address.database or "",
        compress=address.compress or False,
        connect_timeout=address.connect_timeout,
        send_receive_timeout=address.send_receive_timeout,
        verify=address.verify,
        ca_cert=address.ca_cert,
        client_cert=address.client_cert,
        client_cert_key=address.client_cert_key,
        server_host_name=address.server_host_name,
        proxy_path=address.proxy_path,
        pool_mgr=pool_of(address),
        client_name="agentops-portal",
        # A session would allow one query at a time.
        autogenerate_session_id=False,
        tz_mode="aware",
        # Text without an offset means UTC on every server, whatever its own time zone is.
        settings={**dict(address.settings), "session_timezone": SESSION_TIME_ZONE},
    )
    client.server_tz = UTC
    return client
