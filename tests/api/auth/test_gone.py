"""The agentops SDK before 0.4: every address that its versions ask, with the methods that they use."""

from typing import Any

import pytest
from django.test import Client

ORIGIN = "https://elsewhere.example"
ASKED = [
    *(("post", f"/v1/{name}") for name in ("sessions", "agents", "threads", "events", "developer_errors")),
    *(("post", f"/v2/{name}") for name in ("create_session", "reauthorize_jwt", "update_session", "create_agent")),
    *(("post", f"/v2/{name}") for name in ("create_thread", "create_events", "update_events", "developer_errors")),
    ("put", "/v2/update_logs"),
    ("get", "/v2/ttd/abc"),
    ("get", "/v2/sessions/2f4a/stats"),
    ("get", "/v2/sessions/2f4a/export"),
    ("get", "/v2/openapi.yaml"),
    ("post", "/v2/create_session/"),
]


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_older_versions_are_told_what_they_need(method: str, path: str) -> None:
    body = {} if method == "get" else {"data": b"{", "content_type": "application/json"}
    headers = {"X-Agentops-Api-Key": "x", "X-Agentops-Auth": "x", "Origin": ORIGIN}
    answer: Any = getattr(Client(enforce_csrf_checks=True), method)(path, **body, headers=headers)

    assert (answer.status_code, answer["Content-Type"]) == (410, "application/json")
    assert answer.json().keys() == {"message"}
    assert answer.json()["message"].startswith("agentops >= 0.4 is needed")
    assert answer["Access-Control-Allow-Origin"] == "*"
