"""Rules on the pages: tried on a text and on stored calls, saved, and seen with what they decided."""

from typing import Any

import pytest

from guardrails.enforcement import in_force, ledger
from guardrails.enforcement.deciding import Check, decide
from guardrails.enforcement.models import Decision, Rule
from projects.credentials import Credential
from projects.models import AuditEvent
from tests.browser import browser
from tests.cast import Cast, make_cast
from tests.kept import give_trace
from tests.pages.spans import Spanlet

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])
CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": "<b>pay</b> with 4111 1111 1111 1111 please",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "done",
}
FORM = {
    "name": "Cards",
    "of": "project",
    "way": "entities",
    "entities": ["card"],
    "country": "kr",
    "action": "block",
    "phase": "both",
    "position": "5",
    "enabled": "on",
}


@pytest.fixture
def cast() -> Cast:
    in_force.forget()
    ledger.forget()
    return make_cast()


def test_a_rule_is_tried_before_it_is_saved(cast: Cast) -> None:
    give_trace(cast.project, [Spanlet("ask", attributes=CALL)])
    client = browser()
    client.force_login(cast.alice)

    page = client.post(f"/projects/{cast.project.pk}/rules/try/", {**FORM, "text": "5555 5555 5555 4444!"})
    assert page.status_code == 200
    assert page.context["tried"].text == "<CARD>!"
    traffic = page.context["traffic"]
    assert (traffic.calls, traffic.concerned, dict(traffic.entities)) == (1, 1, {"CARD": 1})
    assert traffic.shown[0].excerpt == "<b>pay</b> with <CARD> please"
    assert "&lt;b&gt;pay&lt;/b&gt; with &lt;CARD&gt; please" in page.content.decode()
    assert not Rule.objects.exists()


def test_a_rule_is_saved_decides_and_is_listed(cast: Cast) -> None:
    client = browser()
    client.force_login(cast.ann)
    rules = f"/projects/{cast.project.pk}/rules/"

    refused = client.post(f"{rules}new/", {**FORM, "way": "regex", "pattern": "(?=x)y"})
    assert refused.status_code == 422
    assert "RE2 does not take this: invalid perl operator: (?=" in refused.content.decode()
    assert client.post(f"{rules}new/", FORM).status_code == 302
    [rule] = Rule.objects.all()
    assert (rule.project, rule.country, rule.created_by) == (cast.project, "KR", cast.ann)
    assert AuditEvent.objects.filter(action="rule.created", actor=cast.ann).count() == 1

    credential = Credential(cast.project.pk, rule.pk, frozenset({"ingest"}))
    decide(Check(credential, "input", "litellm", texts=["4111 1111 1111 1111"], user="kim", is_traced=True))
    ledger.flush()
    assert Decision.objects.get().action == "block"
    client.force_login(cast.bo)
    page = client.get(f"{rules}decisions/?action=block").content.decode()
    assert "CARD 1" in page
    assert "kim" in page
    assert "4111" not in page
    assert "No decisions" in client.get(f"{rules}decisions/?action=mask").content.decode()
    assert "Cards" in client.get(rules).content.decode()
