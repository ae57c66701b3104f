"""LiveKit Agents: calls of language models in the words of the conventions, those of voices in their own metrics."""

from .base import Dialect

DIALECT = Dialect(
    name="livekit",
    reference="https://github.com/livekit/agents/blob/main/livekit-agents/livekit/agents/telemetry/trace_types.py",
    values={
        # An object with a `type`: tts_metrics, stt_metrics, realtime_model_metrics, llm_metrics.
        "usage": ("lk.tts_metrics", "lk.stt_metrics", "lk.realtime_model_metrics", "lk.llm_metrics"),
        "tool_name": ("lk.function_tool.name",),
    },
)
