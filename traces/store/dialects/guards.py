"""Guardrail libraries that trace on their own, and the filters of model providers."""

from .base import Dialect

_TYPE = "SpanAttributes['type']"
# Guardrails AI: the attribute, of some versions blank, else the answer.
_VALIDATED = (
    "substring(concat(SpanAttributes['validator.validate.output.outcome'], "
    """extract(SpanAttributes['output.value'], '"outcome": *"(pass|fail)')), 1, 4)"""
)
_VALIDATIONS = {
    **{f"fail {on_fail}": "blocked" for on_fail in ("exception", "refrain")},
    **{f"fail {on_fail}": "masked" for on_fail in ("fix", "filter", "fix_reask")},
}
# NeMo Guardrails runs every step of an answer as a rail; these are the ones that guard.
_RAILS = "('input', 'output', 'retrieval', 'tool_input', 'tool_output')"
_RAIL = "SpanAttributes['rail.type']"

_AZURE = "SpanAttributes['gen_ai.prompt.prompt_filter_results']"
_BEDROCK = (
    "concat(SpanAttributes['gen_ai.bedrock.guardrail.input_filter'], "
    "SpanAttributes['gen_ai.bedrock.guardrail.output_filter'])"
)
# What the guardrail returned, where a client has no word of its own for what came of it: agentops, Langfuse,
# OpenInference. Dicts, objects and JSON alike: a name and what stands behind it, such as {"tripwire_triggered": true}.
_RETURNED = (
    "concat(SpanAttributes['agentops.guardrail.output'], SpanAttributes['langfuse.observation.output'], "
    "SpanAttributes['output.value'])"
)
_WORDS = "triggered|blocked|denied|flagged|allowed|passed"
_ANSWERS = {
    **{f"{word}true": "blocked" for word in ("triggered", "blocked", "denied")},
    **{f"{word}false": "allowed" for word in ("triggered", "blocked", "denied", "flagged")},
    "flaggedtrue": "flagged",
    **{f"{word}true": "allowed" for word in ("allowed", "passed")},
    **{f"{word}false": "blocked" for word in ("allowed", "passed")},
}
_ACTIONS = {
    **dict.fromkeys(("deny", "block"), "blocked"),
    **dict.fromkeys(("redact", "mask", "sanitize"), "masked"),
    **dict.fromkeys(("warn", "flag"), "flagged"),
    "allow": "allowed",
}

# A provider's own filter is told on the span of the call that it looked at, which stays an LLM call.
FILTERS = ("content filter", "Bedrock guardrail")
_REASONS = (
    *(f'["{reason}"]' for reason in ("content_filter", "guardrail_intervened")),
    *("content_filter", "content-filter", "guardrail_intervened"),
)
_OF_REASONS = ["Bedrock guardrail" if "guardrail" in reason else "content filter" for reason in _REASONS]


def _filtered(attribute: str) -> str:
    """The filter that ended an answer, by the reason for which the answer ended."""
    return f"(transform(SpanAttributes['{attribute}'], {list(_REASONS)}, {_OF_REASONS}, ''))"


# Of the convention that most clients speak: looked up in every span.
FINISHED = _filtered("gen_ai.response.finish_reasons")

DIALECT = Dialect(
    name="guards",
    reference="https://docs.openlit.io/latest/features/guardrails, https://guardrailsai.com/docs/concepts/logs and "
    "https://docs.nvidia.com/nemo/guardrails/latest/user-guides/tracing/",
    marks=(
        *("validator.name", "guard.name", "rail.type"),
        *("gen_ai.prompt.prompt_filter_results", "gen_ai.bedrock.guardrail.input_filter"),
        *("gen_ai.bedrock.guardrail.output_filter", "llm.finish_reason", "gen_ai.completion.0.finish_reason"),
        "ai.response.finishReason",
    ),
    values={
        # Guardrails AI names the guard on each step of it; a run is what one validator does.
        "guardrail_name": (
            f"(concat(SpanAttributes['validator.name'], "
            f"if(startsWith({_TYPE}, 'guardrails/'), '', SpanAttributes['guard.name']), "
            f"if({_RAIL} IN {_RAILS}, SpanAttributes['rail.name'], '')))",
            _filtered("llm.finish_reason"),
            _filtered("gen_ai.completion.0.finish_reason"),
            _filtered("ai.response.finishReason"),
            f"(multiIf({_AZURE} != '', 'content filter', {_BEDROCK} != '', 'Bedrock guardrail', ''))",
        ),
        "guardrail_mode": ("guard.phase", "validator.on_fail", "rail.type"),
    },
    guardrail_outcome=f"""multiIf(
        SpanAttributes['validator.name'] != '', transform(
            concat({_VALIDATED}, ' ', lower(SpanAttributes['validator.on_fail'])),
            {list(_VALIDATIONS)}, {list(_VALIDATIONS.values())},
            transform({_VALIDATED}, ['pass', 'fail'], ['allowed', 'flagged'], '')),
        {_RAIL} != '', transform(SpanAttributes['rail.stop'], ['true', 'false'], ['blocked', 'allowed'], ''),
        SpanAttributes['guard.name'] != '', if(SpanAttributes['guard.denied'] = 'true', 'blocked', transform(
            lower(SpanAttributes['guard.action']), {list(_ACTIONS)}, {list(_ACTIONS.values())}, '')),
        guardrail_name IN {FILTERS}, if(
            match({_AZURE}, '"filtered": *false') AND NOT match({_AZURE}, '"filtered": *true'), 'allowed', 'blocked'),
        transform(
            replaceRegexpAll(extract(lower({_RETURNED}), '(?:{_WORDS})[^a-z]{{1,4}}(?:true|false)'), '[^a-z]', ''),
            {list(_ANSWERS)}, {list(_ANSWERS.values())}, ''))""",
)
