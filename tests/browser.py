"""Django's test client as a browser: a request that changes something says of which page it is."""

from typing import Any

from django.test import Client

from projects.models import User

ORIGIN = "http://testserver"


class Browser(Client):
    def generic(self, method: str, *args: Any, headers: Any = None, **options: Any) -> Any:
        """A browser leaves out Origin where a page only reads what is of its own origin."""
        page = {} if method in ("GET", "HEAD") else {"Origin": ORIGIN}
        return super().generic(method, *args, headers=page | dict(headers or {}), **options)


def browser(**options: Any) -> Client:
    """A browser on a page of this portal."""
    return Browser(**options)


def signed_in(user: User, **options: Any) -> Client:
    client = browser(**options)
    client.force_login(user)
    return client
