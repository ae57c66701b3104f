"""Guardrail libraries that trace on their own, and the filters of model providers."""

from .base import ANY, NO_FILTER, Dialect

# Guardrails AI: the attribute, of some versions blank, else the answer.
_VALIDATED = (
    "substring(concat(SpanAttributes['validator.validate.output.outcome'], "
    """extract(SpanAttributes['output.value'], '"outcome": *"(pass|fail)')), 1, 4)"""
)
_VALIDATIONS = {
    **{f"fail {on_fail}": "blocked" for on_fail in ("exception", "refrain")},
    **{f"fail {on_fail}": "masked" for on_fail in ("fix", "filter", "fix_reask")},
}

_AZURE = "SpanAttributes['gen_ai.prompt.prompt_filter_results']"
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
CONTENT_FILTER, BEDROCK = FILTERS = ("content filter", "Bedrock guardrail")
REASONS = {
    **dict.fromkeys(("content_filter", "content-filter", '["content_filter"]'), CONTENT_FILTER),
    **dict.fromkeys(("guardrail_intervened", '["guardrail_intervened"]'), BEDROCK),
    ANY: NO_FILTER,
}
_STOPPED = {"true": "blocked", "false": "allowed"}

DIALECT = Dialect(
    name="guards",
    reference="https://docs.openlit.io/latest/features/guardrails, https://guardrailsai.com/docs/concepts/logs and "
    "https://docs.nvidia.com/nemo/guardrails/latest/user-guides/tracing/",
    values={
        "guardrail_name": ("validator.name",),
        # Guardrails AI names the guard on each step of it; a run is what one validator does.
        "guard": ("guard.name",),
        "rail_name": ("rail.name",),
        "step": ("type",),
        "guardrail_mode": ("guard.phase", "validator.on_fail", "(told('rail'))"),
    },
    words={
        # NeMo Guardrails runs every step of an answer as a rail; these are the ones that guard.
        "rail": {"rail.type": {rail: rail for rail in ("input", "output", "retrieval", "tool_input", "tool_output")}},
        "finish": dict.fromkeys(
            ("llm.finish_reason", "gen_ai.completion.0.finish_reason", "ai.response.finishReason"), REASONS
        ),
        "filter": {
            "gen_ai.prompt.prompt_filter_results": {ANY: CONTENT_FILTER},
            "gen_ai.bedrock.guardrail.input_filter": {ANY: BEDROCK},
            "gen_ai.bedrock.guardrail.output_filter": {ANY: BEDROCK},
        },
        "done": {"guard.action": _ACTIONS, "rail.stop": _STOPPED, "guard.denied": _STOPPED},
    },
    guardrail_outcome=f"""multiIf(
        SpanAttributes['validator.name'] != '', transform(
            concat({_VALIDATED}, ' ', lower(SpanAttributes['validator.on_fail'])),
            {list(_VALIDATIONS)}, {list(_VALIDATIONS.values())},
            transform({_VALIDATED}, ['pass', 'fail'], ['allowed', 'flagged'], '')),
        guardrail_name IN {FILTERS}, if(
            match({_AZURE}, '"filtered": *false') AND NOT match({_AZURE}, '"filtered": *true'), 'allowed', 'blocked'),
        transform(
            replaceRegexpAll(extract(lower({_RETURNED}), '(?:{_WORDS})[^a-z]{{1,4}}(?:true|false)'), '[^a-z]', ''),
            {list(_ANSWERS)}, {list(_ANSWERS.values())}, ''))""",
)
