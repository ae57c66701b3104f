from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from agentops_portal.celery import app
from tests.browser import browser
from tests.cast import Cast

Ask = Callable[..., Any]


@pytest.fixture
def ask(cast: Cast) -> Ask:
    """`ask("bob", "post", "orgs/create", {…})` with Bob's session; "" asks as nobody."""

    def asked(person: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        client = browser()
        if person:
            client.force_login(cast[person])
        if method == "get":
            return client.get(f"/opsboard/{path}", headers=headers)
        content = {} if body is None else body
        return getattr(client, method)(f"/opsboard/{path}", content, content_type="application/json", headers=headers)

    return asked


@pytest.fixture
def mail(settings: Settings) -> Any:
    settings.EMAIL_IS_CONFIGURED = True
    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager, app.conf.task_eager_propagates = before
