"""OpenInference, the convention of Arize Phoenix and its instrumentations."""

from .base import Dialect, has_any

_EVIDENCE = ("llm.prompts", "llm.input_messages.0.message.role", "llm.output_messages.0.message.role")

KIND = "SpanAttributes['openinference.span.kind']"
AGENTS_SDK = "ScopeName = 'openinference.instrumentation.openai_agents'"
# LlamaIndex's agents are chains like all else it runs; CrewAI's crew (Traceloop) states `invoke_agent` alone.
AGENTS = ("FunctionAgent.run", "ReActAgent.run", "CodeActAgent.run")
_NAMES = {**dict.fromkeys(AGENTS, "agent"), "AgentWorkflow.run": "workflow", "crewai.workflow": "workflow"}

DIALECT = Dialect(
    name="openinference",
    reference="https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md",
    rules=(f"transform(SpanName, {list(_NAMES)}, {list(_NAMES.values())}, NULL)",),
    kinds={
        "openinference.span.kind": {
            "llm": "llm",
            "embedding": "embedding",
            "chain": "chain",
            "tool": "tool",
            "agent": "agent",
            "retriever": "retriever",
            "reranker": "retriever",
            "guardrail": "guardrail",
            "evaluator": "task",
        }
    },
    evidence=_EVIDENCE,
    # LlamaIndex calls LLM what only prepares a call, or waits for one.
    not_called="ScopeName = 'openinference.instrumentation.llama_index' AND StatusCode != 'Error' AND "
    f"stated_kind = 'llm' AND NOT {has_any((*_EVIDENCE, 'llm.token_count.total'))}",
    values={
        "model": ("llm.model_name",),
        "embedding_model": ("embedding.model_name",),
        "requested_model": ("llm.request.model_name",),
        "provider": ("llm.provider", "llm.system"),
        "input_tokens": ("llm.token_count.prompt",),
        "output_tokens": ("llm.token_count.completion",),
        "cache_read": ("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input"),
        "cache_write": ("llm.token_count.prompt_details.cache_write",),
        "input_audio": ("llm.token_count.prompt_details.audio",),
        "output_audio": ("llm.token_count.completion_details.audio",),
        "input_image": ("llm.token_count.prompt_details.image",),
        "output_image": ("llm.token_count.completion_details.image",),
        "reasoning": ("llm.token_count.completion_details.reasoning",),
        "total_tokens": ("llm.token_count.total",),
        "cost": ("llm.cost.total",),
        "session_id": ("session.id",),
        "user_id": ("user.id",),
    },
    # A call that failed may name its model nowhere else.
    words={"in_parameters": {"llm.invocation_parameters": {}, "embedding.invocation_parameters": {}}},
    meanings={"in_parameters": """extract(text, '"model(?:_name)?"\\\\s*:\\\\s*"([^"]+)"')"""},
    # The instrumentation of openai-agents tells a guardrail that tripped on the span above it
    # (`tripped_guardrail` in typed_columns.py): one that answered and is not named there let pass.
    guardrail_outcome=f"if({AGENTS_SDK} AND {KIND} = 'GUARDRAIL' AND StatusCode = 'Ok', 'allowed', '')",
)
