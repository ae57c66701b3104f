from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from agentops_portal.celery import app
from projects import rates

Post = Callable[..., Any]


@pytest.fixture(autouse=True)
def _fresh_counts() -> Iterator[None]:
    rates.forget()
    yield
    rates.forget()


@pytest.fixture
def mail(settings: Settings) -> Iterator[None]:
    """The portal sends e-mail, and its background work is done at once."""
    settings.EMAIL_IS_CONFIGURED = True
    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager, app.conf.task_eager_propagates = before


@pytest.fixture
def post() -> Post:
    """`post("/auth/login", {…})` as a client that is no browser."""

    def posted(path: str, body: Any = None, *, client: Client | None = None, **headers: str) -> Any:
        return (client or Client(enforce_csrf_checks=True)).post(
            path, body if body is not None else {}, content_type="application/json", headers=headers
        )

    return posted
