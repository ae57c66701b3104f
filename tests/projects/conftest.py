from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from projects import credentials
from tests.cast import Cast, make_cast

SignIn = Callable[[str], Client]


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture(autouse=True)
def _fresh_credentials() -> Iterator[None]:
    credentials.forget()
    yield
    credentials.forget()


@pytest.fixture
def signed_in(cast: Cast) -> SignIn:
    """`signed_in("bob")`: a browser in which that person is signed in."""

    def sign_in(name: str) -> Client:
        client = Client()
        client.force_login(cast[name])
        return client

    return sign_in
