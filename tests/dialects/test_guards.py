import pytest

from tests.receiver import Receiver, Tenant

from .typed import Typed, assert_typed, guardrail, received

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_openlit_and_guardrails_ai(otlp: Receiver, tenant: Tenant) -> None:
    assert_typed(
        received("guards", otlp, tenant),
        {
            "0000001b00000001": Typed(),
            "0000001b00000002": guardrail("prompt_injection", "preflight", "blocked"),
            "0000001b00000003": guardrail("pii", "preflight", "masked"),
            "0000001b00000004": guardrail("sensitive_topic", "postflight", "flagged"),
            "0000001b00000005": guardrail("topic", "postflight", "allowed"),
            "0000001b00000006": guardrail("moderation", "preflight", "failed"),
            "0000001b00000007": Typed(),  # a run is what one validator does
            "0000001b00000008": Typed(),  # a step of the guard is no run of its own
            "0000001b00000009": guardrail("detect_pii", "exception", "unknown"),  # it does not say
            "0000001b0000000a": guardrail("toxic_language", "fix", "failed"),
        },
    )
