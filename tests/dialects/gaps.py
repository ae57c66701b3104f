"""What a client says and the typed columns do not hold yet: span id → columns. Nothing else may differ.

A gap that is closed makes its test fail until it leaves this list.
"""

_TOKENS = ("cached_input_tokens", "reasoning_tokens")
_RUN = ("span_type", "guardrail_name", "guardrail_mode", "guardrail_outcome")

# LiteLLM's v1 tracer tells cached and reasoning tokens in metadata.usage_object alone, in Python's notation.
_LITELLM_V1 = (
    "a02d273935139573",
    "9b49534073661f48",
    "f83a2b49e145ff61",
    "e5b134b29aea3aa6",
    "5703330e2a832e18",
    "bf592d62aadf9abe",
    "2e13058660e4f7bf",
    "72235dcf3883fa82",
    "1b1399f5546d1688",
    "e1870cd773c5da6f",
    "cd49672b86cf47dc",
    "0fcee9a7c2c5b75c",
    "21335727b0555fbf",
    "d6010808cf879943",
)

GAPS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_LITELLM_V1, _TOKENS),
    "0000001a00000002": _TOKENS,  # langfuse
    "0000001a00000005": ("agent_name",),
    "0000001a00000006": ("tool_name",),
    "0000001a0000000a": ("guardrail_name", "guardrail_outcome"),
    "0000001d0000000f": _RUN,  # genai, the names of the guardrail proposals
    "0000001d00000010": _RUN,
    "0000001e00000009": ("guardrail_name", "guardrail_outcome"),  # openinference
}
