"""Requests with a body, as a person with a session or a machine with a key."""

import json
from typing import Any

from tests.browser import browser
from tests.cast import Cast


def send(cast: Cast, method: str, address: str, body: Any = None, *, person: str = "", key: str = "") -> Any:
    """`send(cast, "POST", address, {…}, person="bob")`; `body` is sent as JSON, a str as it is."""
    client = browser()
    if person:
        client.force_login(cast[person])
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.generic(method, address, **_content(body), headers=headers)


def _content(body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    data = body if isinstance(body, str) else json.dumps(body)
    return {"data": data, "content_type": "application/json"}
