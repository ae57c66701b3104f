"""OpenTelemetry GenAI semantic conventions, which most clients speak at least in part."""

from .base import Dialect
from .guards import REASONS
from .operations import CALLED, KIND, shown_in

# What was done, and what was found; an action of "allow" leaves the word to the verdict.
ACTIONS = ("gen_ai.security.action.type", "gen_ai.security.action", "gen_ai.security.decision.type")
VERDICTS = ("gen_ai.security.verdict.type", "gen_ai.security.verdict")
_DONE = {
    **dict.fromkeys(("block", "blocked", "deny", "denied"), "blocked"),
    **dict.fromkeys(("mask", "masked", "redact", "modify"), "masked"),
    **dict.fromkeys(("allow", "allowed", "pass", "none"), "allowed"),
}
_FOUND = {
    **dict.fromkeys(("flag", "flagged", "warn", "unsafe"), "flagged"),
    **dict.fromkeys(("allow", "allowed", "pass", "passed", "safe", "ok"), "allowed"),
}

# Frameworks write an operation onto workflows, tasks and plain chains, too, and state their own kind beside it.
_KINDS = {
    "execute_tool": "tool",
    "invoke_agent": "agent",
    **dict.fromkeys(("create_agent", "agent_step", "plan"), "task"),
    "invoke_workflow": "workflow",
    **dict.fromkeys(("retrieval", "retriever", "vector_db_retrieve"), "retriever"),
    # Of LiteLLM: what manages that which a provider keeps asks no model.
    **{f"litellm.{kept}_management": "other" for kept in ("vector_store", "vector_store_file", "responses")},
}

DIALECT = Dialect(
    name="genai",
    reference="https://opentelemetry.io/docs/specs/semconv/gen-ai/",
    evidence=(
        *("gen_ai.response.id", "gen_ai.input.messages", "gen_ai.output.messages"),
        "gen_ai.completion.0.role",
    ),
    prompts=("gen_ai.prompt",),
    questions=("gen_ai.prompt.0.content",),
    answers=("gen_ai.completion", "gen_ai.completion.0.content"),
    values={
        "model": ("gen_ai.response.model",),
        "requested_model": ("gen_ai.request.model",),
        "usage": ("gen_ai.usage.raw",),
        "provider": ("gen_ai.provider.name", "gen_ai.system"),
        "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        "cache_read": (
            *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
            *("gen_ai.usage.cached_input_tokens", "gen_ai.usage.input_cached_tokens", "gen_ai.usage.cached_tokens"),
            *("gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cache_read_input_tokens"),
            *("gen_ai.usage.details.cached_tokens", "gen_ai.usage.cache_read_tokens"),
        ),
        "cache_write": (
            *("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
            *("gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens"),
            *("gen_ai.usage.details.cache_write_tokens", "gen_ai.usage.details.cache_creation_input_tokens"),
            *("gen_ai.usage.cache_write_tokens", "gen_ai.usage.cache_creation_tokens"),
        ),
        "cache_write_1h": (
            *("gen_ai.usage.cache_creation.ephemeral_1h_input_tokens", "gen_ai.usage.ephemeral_1h_input_tokens"),
            *("gen_ai.usage.details.ephemeral_1h_input_tokens", "gen_ai.usage.cache_creation_1h.input_tokens"),
            "gen_ai.usage.cache_creation.1h.input_tokens",
        ),
        "reasoning": (
            *("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
            *("gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.experimental.reasoning_tokens"),
            *("gen_ai.usage.details.thoughts_tokens", "gen_ai.usage.thoughts_tokens"),
        ),
        "input_audio": (
            *("gen_ai.usage.audio.input_tokens", "gen_ai.usage.input_audio_tokens"),
            *("gen_ai.usage.details.input_audio_tokens", "gen_ai.usage.prompt_tokens.audio"),
        ),
        "output_audio": (
            *("gen_ai.usage.audio.output_tokens", "gen_ai.usage.output_audio_tokens"),
            *("gen_ai.usage.details.output_audio_tokens", "gen_ai.usage.completion_tokens.audio"),
        ),
        "input_image": (
            *("gen_ai.usage.image.input_tokens", "gen_ai.usage.input_image_tokens"),
            *("gen_ai.usage.details.input_image_tokens", "gen_ai.usage.prompt_tokens.image"),
        ),
        "output_image": (
            *("gen_ai.usage.image.output_tokens", "gen_ai.usage.output_image_tokens"),
            *("gen_ai.usage.details.output_image_tokens", "gen_ai.usage.completion_tokens.image"),
        ),
        "total_tokens": ("gen_ai.usage.total_tokens",),
        "cost": ("gen_ai.usage.total_cost", "gen_ai.usage.cost", "operation.cost"),
        "session_id": ("gen_ai.conversation.id",),
        "user_id": ("user.id", "enduser.id"),
        "agent_name": ("gen_ai.agent.name",),
        "tool_name": ("gen_ai.tool.name",),
        "guardrail_name": ("gen_ai.guardrail.name", "gen_ai.security.guardrail.name", "gen_ai.guardian.name"),
        "guardrail_mode": ("gen_ai.guardrail.target", "gen_ai.security.target.type"),
    },
    # OpenLIT's instrumentation of Anthropic passes on what the provider says.
    tokens_apart="ScopeName = 'openlit.instrumentation.anthropic'",
    # The guardrail part is a proposal, with these spellings so far:
    # https://github.com/open-telemetry/semantic-conventions/issues/1034
    meanings={"operation": shown_in("lower(text)")},
    words={
        "operation": {
            # Of what several operations share, generate_content: what was asked for.
            "gen_ai.output.type": {word: word for word in ("image", "speech", "video")},
            "gen_ai.operation.name": CALLED | {word: f"{KIND}{kind}" for word, kind in _KINDS.items()},
        },
        "finish": {"gen_ai.response.finish_reasons": REASONS},
        "done": dict.fromkeys(ACTIONS, _DONE),
        "found": dict.fromkeys(VERDICTS, _FOUND),
    },
)
