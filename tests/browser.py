"""Django's test client as a browser: it says of which page a request is."""

from typing import Any

from django.test import Client

from projects.models import User

ORIGIN = "http://testserver"


def browser(**options: Any) -> Client:
    """A browser on a page of this portal."""
    return Client(headers={"Origin": ORIGIN}, **options)


def signed_in(user: User, **options: Any) -> Client:
    client = browser(**options)
    client.force_login(user)
    return client
