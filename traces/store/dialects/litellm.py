"""LiteLLM proxy: the v1 tracer, its semantic-convention mode and the V2 tracer (LITELLM_OTEL_V2=true)."""

from .base import ANY, Dialect
from .operations import CALLED

# v1 writes Python's repr of a dict: {'tags': […], 'session_id': 'sess-123', …}
_SESSION = "extract(text, '''session_id'': ''([^'']+)''')"

_STATUSES = {
    "guardrail_intervened": "blocked",
    "guardrail_failed_to_respond": "failed",
    "guardrail_flagged": "flagged",
    "not_run": "not_run",
}
_STATUS = "concat(SpanAttributes['guardrail_status'], SpanAttributes['litellm.guardrail.status'])"
_RESPONSE = "concat(SpanAttributes['guardrail_response'], SpanAttributes['litellm.guardrail.response'])"
# v1: JSON such as {"email": 1}; V2: a number.
_MASKED_COUNT = "concat(SpanAttributes['masked_entity_count'], SpanAttributes['litellm.guardrail.masked_entity_count'])"
# The content filter, and Bedrock's answer to a guardrail that replaced something.
_MASKS = '"action": *"(MASK|ANONYMIZED|GUARDRAIL_INTERVENED)"'


# v1: a request that a guardrail, a budget or a limit refused looks like a call that failed, but names no provider for
# the error, has no cost (a call that was made has one, if it is 0), and its guardrail did not run after the call.
_REFUSED = (
    "StatusCode = 'Error' AND told('hidden_params') != '' AND told('failed_provider') = '' AND told('cost') = '' "
    "AND told('total_tokens') = '' AND told('late_guard') = ''"
)

DIALECT = Dialect(
    name="litellm",
    reference="https://docs.litellm.ai/docs/observability/opentelemetry_integration",
    not_called=_REFUSED,
    # On requests that fail in authentication LiteLLM writes the attributes of the call that never was onto the
    # HTTP framework's span.
    http_span="""ScopeName = 'fastapi' AND told('total_tokens') = ''""",
    values={
        # The response names the alias by which the proxy was asked.
        "served_model": ("litellm.provider.model",),
        "model_alias": ("litellm.model_group",),
        "usage": ("metadata.usage_object",),
        "total_tokens": ("llm.usage.total_tokens",),
        "cost": ("gen_ai.cost.total_cost", "litellm.cost.total"),
        "session_id": ("(told('in_metadata'))",),
        "user_id": (
            "metadata.user_api_key_end_user_id",
            "llm.user",
            "litellm.metadata.user_api_key_end_user_id",
        ),
        "agent_name": ("metadata.agent_name",),
        "guardrail_name": ("guardrail_name", "litellm.guardrail.name"),
        "guardrail_mode": ("guardrail_mode", "litellm.guardrail.mode"),
        # The full cost is reported for an answer from the cache; the key of the entry is the only mark.
        "cache_hit": ("(if(told('hidden_params') = 'hit', '1', ''))",),
    },
    # `llm.request.type` of every version names LiteLLM's own functions, and so does `gen_ai.operation.name` of v1.
    words={
        "operation": {"litellm.call_type": CALLED, "llm.request.type": CALLED},
        "hidden_params": {"hidden_params": {}},
        "late_guard": {"error.message": {}},
        "in_metadata": {"metadata.requester_metadata": {}},
        "failed_provider": {"error.llm_provider": {ANY: "yes"}},
        "done": {"guardrail_status": _STATUSES, "litellm.guardrail.status": _STATUSES},
    },
    meanings={
        "hidden_params": """if(match(text, '"cache_key": *"[^"]'), 'hit', 'yes')""",
        "late_guard": "if(match(text, '''guardrail_mode'': ''(post|during)_call'''), 'yes', '')",
        "in_metadata": _SESSION,
    },
    # A mask is "success": the count or the action tells. Versions before the status attribute leave the text only.
    guardrail_outcome=f"""multiIf(
        match({_RESPONSE}, '{_MASKS}') OR match({_MASKED_COUNT}, '(^|: *)[1-9]'), 'masked',
        {_STATUS} = '' AND match({_RESPONSE}, '^"?4[0-9][0-9]: '), 'blocked',
        match({_RESPONSE}, '"flagged": *true'), 'flagged',
        {_STATUS} = 'success' OR {_RESPONSE} != '', 'allowed', '')""",
)
