"""LiteLLM proxy: the v1 tracer, its semantic-convention mode and the V2 tracer (LITELLM_OTEL_V2=true)."""

from .base import Dialect

# v1 writes Python's repr of a dict: {'tags': […], 'session_id': 'sess-123', …}
_SESSION_IN_METADATA = "(extract(SpanAttributes['metadata.requester_metadata'], '''session_id'': ''([^'']+)'''))"

_STATUS = "concat(SpanAttributes['guardrail_status'], SpanAttributes['litellm.guardrail.status'])"
_RESPONSE = "concat(SpanAttributes['guardrail_response'], SpanAttributes['litellm.guardrail.response'])"
# v1: JSON such as {"email": 1}; V2: a number.
_MASKED_COUNT = "concat(SpanAttributes['masked_entity_count'], SpanAttributes['litellm.guardrail.masked_entity_count'])"
# The content filter, and Bedrock's answer to a guardrail that replaced something.
_MASKS = '"action": *"(MASK|ANONYMIZED|GUARDRAIL_INTERVENED)"'


def _in_usage(name: str) -> str:
    """A number in the v1 tracer's metadata.usage_object, the only place of some; Python's repr again."""
    return f"(extract(SpanAttributes['metadata.usage_object'], '''{name}'': ([0-9]+)'))"


DIALECT = Dialect(
    name="litellm",
    reference="https://docs.litellm.ai/docs/observability/opentelemetry_integration",
    kinds={
        # `gen_ai.operation.name` of v1 and `llm.request.type` of every version name LiteLLM's own functions.
        key: {
            "acompletion": "llm",
            "completion": "llm",
            "atext_completion": "llm",
            "text_completion": "llm",
            "aresponses": "llm",
            "responses": "llm",
            "anthropic_messages": "llm",
            "agenerate_content": "llm",
            "generate_content": "llm",
            "aembedding": "embedding",
            "embedding": "embedding",
        }
        for key in ("gen_ai.operation.name", "llm.request.type")
    },
    # On requests that fail in authentication LiteLLM writes the attributes of the call that never was onto the
    # HTTP framework's span.
    http_span="""ScopeName = 'fastapi' AND SpanAttributes['gen_ai.usage.total_tokens'] = ''""",
    values={
        "requested_model": ("litellm.model_group",),
        "total_tokens": ("llm.usage.total_tokens",),
        "cached_input_tokens": (_in_usage("cached_tokens"),),
        "reasoning_tokens": (_in_usage("reasoning_tokens"),),
        "reported_cost": ("gen_ai.cost.total_cost", "litellm.cost.total"),
        "session_id": (_SESSION_IN_METADATA,),
        "user_id": (
            "metadata.user_api_key_end_user_id",
            "llm.user",
            "litellm.metadata.user_api_key_end_user_id",
        ),
        "agent_name": ("metadata.agent_name",),
        "guardrail_name": ("guardrail_name", "litellm.guardrail.name"),
        "guardrail_mode": ("guardrail_mode", "litellm.guardrail.mode"),
        # The full cost is reported for an answer from the cache; the key of the entry is the only mark.
        "cache_hit": ("""(if(match(SpanAttributes['hidden_params'], '"cache_key": *"[^"]'), '1', ''))""",),
    },
    # A mask is "success": the count or the action tells. Versions before the status attribute leave the text only.
    guardrail_outcome=f"""if(
        SpanAttributes['guardrail_name'] = '' AND SpanAttributes['litellm.guardrail.name'] = '', '',
        coalesce(
            transform(
                {_STATUS}, ['guardrail_intervened', 'guardrail_failed_to_respond', 'guardrail_flagged'],
                ['blocked', 'failed', 'flagged'], NULL),
            multiIf(
                {_STATUS} = 'not_run', 'not_run',
                match({_RESPONSE}, '{_MASKS}') OR match({_MASKED_COUNT}, '(^|: *)[1-9]'), 'masked',
                {_STATUS} = '' AND match({_RESPONSE}, '^"?4[0-9][0-9]: '), 'blocked',
                match({_RESPONSE}, '"flagged": *true'), 'flagged',
                {_STATUS} = 'success' OR {_RESPONSE} != '', 'allowed', '')))""",
)
