"""Alice's project with a key and a token, Charlie's with another; `get` asks the API as one of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from projects import credentials
from tests.cast import Cast, make_cast

from .asked import asked as asked  # a fixture

Get = Callable[..., Any]


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture(autouse=True)
def _fresh_credentials() -> Iterator[None]:
    credentials.forget()
    yield
    credentials.forget()


@pytest.fixture
def get(cast: Cast) -> Get:
    """`get(address, person="bob")` with a session, `get(address, key=secret)` with a key, `get(address)` as nobody."""

    def ask(address: str, *, person: str = "", key: str = "", headers: dict[str, str] | None = None) -> Any:
        client = Client()
        if person:
            client.force_login(cast[person])
        sent = {"Authorization": f"Bearer {key}"} if key else {}
        return client.get(address, headers={**sent, **(headers or {})})

    return ask
