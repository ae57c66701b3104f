"""OpenTelemetry GenAI semantic conventions, which most clients speak at least in part."""

from .base import Dialect, first_of
from .guards import FINISHED

# What was done, and what was found; an action of "allow" leaves the word to the verdict.
ACTIONS = ("gen_ai.security.action.type", "gen_ai.security.action", "gen_ai.security.decision.type")
VERDICTS = ("gen_ai.security.verdict.type", "gen_ai.security.verdict")
_DONE = {
    **dict.fromkeys(("block", "blocked", "deny", "denied"), "blocked"),
    **dict.fromkeys(("mask", "masked", "redact", "modify"), "masked"),
}
_FOUND = {
    **dict.fromkeys(("flag", "flagged", "warn", "unsafe"), "flagged"),
    **dict.fromkeys(("allow", "allowed", "pass", "passed", "safe", "ok"), "allowed"),
}

DIALECT = Dialect(
    name="genai",
    reference="https://opentelemetry.io/docs/specs/semconv/gen-ai/",
    kinds={
        "gen_ai.operation.name": {
            "chat": "llm",
            "text_completion": "llm",
            "generate_content": "llm",
            "embeddings": "embedding",
            "execute_tool": "tool",
            "retrieval": "retriever",
        }
    },
    # Frameworks write `invoke_agent` onto workflows, tasks and plain chains, too, and state their own kind beside it.
    weak_kinds={
        "gen_ai.operation.name": {"invoke_agent": "agent", "create_agent": "task", "invoke_workflow": "workflow"}
    },
    values={
        "model": ("gen_ai.response.model", "gen_ai.request.model"),
        "requested_model": ("gen_ai.request.model",),
        "provider": ("gen_ai.provider.name", "gen_ai.system"),
        "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        "cached_input_tokens": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
        "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
        "total_tokens": ("gen_ai.usage.total_tokens",),
        "reported_cost": ("gen_ai.usage.total_cost", "gen_ai.usage.cost"),
        "session_id": ("gen_ai.conversation.id",),
        "user_id": ("user.id", "enduser.id"),
        "agent_name": ("gen_ai.agent.name",),
        "tool_name": ("gen_ai.tool.name",),
        "guardrail_name": ("gen_ai.guardrail.name", "gen_ai.security.guardrail.name", "gen_ai.guardian.name", FINISHED),
        "guardrail_mode": ("gen_ai.guardrail.target", "gen_ai.security.target.type"),
    },
    # The guardrail part is a proposal, with these spellings so far:
    # https://github.com/open-telemetry/semantic-conventions/issues/1034
    guardrail_outcome=f"""coalesce(
        transform(lower({first_of(ACTIONS)}), {list(_DONE)}, {list(_DONE.values())}, NULL),
        transform(lower({first_of(VERDICTS)}), {list(_FOUND)}, {list(_FOUND.values())}, NULL),
        if(lower({first_of(ACTIONS)}) IN ('allow', 'allowed', 'pass', 'none'), 'allowed', ''))""",
)
