"""Every answer fits what /openapi.json says of it."""

from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # comes with drf-spectacular

from tests.api.conftest import Get
from tests.cast import Cast
from tests.pages.spans import Spanlet, recorded, store, store_trace

from .conftest import SESSION

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

PAYLOADS = ("agentops-0.4.21-session", "litellm-1.106.2-mixed", "litellm-1.106.2-failures", "genai-openai-1.3b0")
CALL = "73bfd140fdc4beea"
# Address in the schema → address that is asked; {project} and {odd}, a trace of odd names, are filled in.
ASKED = {
    "/v4/traces/list/{project_id}": "/v4/traces/list/{project}?limit=100",
    "/v4/traces": "/v4/traces?project_id={project}",
    "/v4/traces/detail/{trace_id}": f"/v4/traces/detail/{SESSION}",
    "/v4/traces/{trace_id}": "/v4/traces/{odd}",
    "/v4/meterics/project/{project_id}": "/v4/meterics/project/{project}",
    "/v4/meterics/project": "/v4/meterics/project?project_id={project}",
    "/public/v1/project": "/public/v1/project",
    "/public/v1/project/metrics": "/public/v1/project/metrics",
    "/public/v1/traces": "/public/v1/traces",
    "/public/v1/traces/{trace_id}": f"/public/v1/traces/{SESSION}",
    "/public/v1/traces/{trace_id}/metrics": f"/public/v1/traces/{SESSION}/metrics",
    "/public/v1/spans/{span_id}": f"/public/v1/spans/{CALL}",
    "/public/v1/spans/{span_id}/metrics": f"/public/v1/spans/{CALL}/metrics",
}


def test_answers_fit_their_description(cast: Cast, get: Get, secret: str, client: Client) -> None:
    for name in PAYLOADS:
        store(cast.project.pk, recorded(name))
    odd = store_trace(cast.project.pk, [Spanlet("", attributes={"a": "", "": "x", "gen_ai.prompt": "hi"})], number=7)
    schema = client.get("/openapi.json").json()

    def faults(path: str, address: str) -> list[str]:
        answer = get(address, key=secret)
        assert answer.status_code == 200, (address, answer.content)
        described = schema["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**described, "components": schema["components"]})
        return [
            f"{path} {list(each.absolute_path)}: {each.message[:200]}" for each in validator.iter_errors(answer.json())
        ]

    found: list[Any] = []
    for path, address in ASKED.items():
        found += faults(path, address.format(project=cast.project.pk, odd=odd))
    listed = get(f"/v4/traces/list/{cast.project.pk}?limit=100", key=secret).json()["traces"]
    for item in listed:
        found += faults("/v4/traces/detail/{trace_id}", f"/v4/traces/detail/{item['trace_id']}")

    assert len(listed) == 28
    assert not found, "\n".join(found)
