"""The Vercel AI SDK, 3 to 7: a function of the SDK is a span, and each of its calls of a model one below it."""

from .base import Dialect

_TEXT = ("generatetext", "streamtext", "generateobject", "streamobject")
_OTHER = ("generateimage", "generatespeech", "generatevideo", "transcribe")
_EMBED = ("embed", "embedmany")

DIALECT = Dialect(
    name="vercel",
    reference="https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    kinds={
        "ai.operationId": {
            **{f"ai.{function}.{call}": "llm" for function in _TEXT + _OTHER for call in ("dogenerate", "dostream")},
            "ai.transcribe.dotranscribe": "llm",
            "ai.rerank.dorerank": "llm",
            **{f"ai.{function}.doembed": "embedding" for function in _EMBED},
            **{f"ai.{function}": "chain" for function in (*_TEXT, *_EMBED, "rerank")},
            "ai.toolcall": "tool",
        }
    },
    values={
        "model": ("ai.response.model",),
        "requested_model": ("ai.model.id",),
        "provider": ("ai.model.provider",),
        "input_tokens": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        "output_tokens": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        "cache_read": ("ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"),
        "cache_write": ("ai.usage.inputTokenDetails.cacheWriteTokens",),
        "reasoning": ("ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"),
        "total_tokens": ("ai.usage.totalTokens",),
        "tool_name": ("ai.toolCall.name",),
        "session_id": ("ai.telemetry.metadata.sessionId",),
        "user_id": ("ai.telemetry.metadata.userId",),
    },
)
