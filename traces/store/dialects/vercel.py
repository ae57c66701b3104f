"""The Vercel AI SDK: what callers attach to their calls."""

from .base import Dialect

DIALECT = Dialect(
    name="vercel",
    reference="https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    marks=("ai.telemetry.metadata.sessionId", "ai.telemetry.metadata.userId"),
    values={
        "session_id": ("ai.telemetry.metadata.sessionId",),
        "user_id": ("ai.telemetry.metadata.userId",),
    },
)
