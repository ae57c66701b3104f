"""OpenTelemetry GenAI semantic conventions, which most clients speak at least in part."""

from .base import Dialect, first_of

# What was done, and what was found; an action of "allow" leaves the word to the verdict.
ACTIONS = ("gen_ai.security.action.type", "gen_ai.security.action", "gen_ai.security.decision.type")
VERDICTS = ("gen_ai.security.verdict.type", "gen_ai.security.verdict")

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
            "invoke_agent": "agent",
            "create_agent": "agent",
            "invoke_workflow": "workflow",
            "retrieval": "retriever",
        }
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
        "guardrail_name": ("gen_ai.guardrail.name", "gen_ai.security.guardrail.name", "gen_ai.guardian.name"),
        "guardrail_mode": ("gen_ai.guardrail.target", "gen_ai.security.target.type"),
    },
    # The guardrail part is a proposal, with these spellings so far:
    # https://github.com/open-telemetry/semantic-conventions/issues/1034
    guardrail_outcome=f"""multiIf(
        lower({first_of(ACTIONS)}) IN ('block', 'blocked', 'deny', 'denied'), 'blocked',
        lower({first_of(ACTIONS)}) IN ('mask', 'masked', 'redact', 'modify'), 'masked',
        lower({first_of(VERDICTS)}) IN ('flag', 'flagged', 'warn', 'unsafe'), 'flagged',
        '')""",
)
