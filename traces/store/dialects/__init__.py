"""Every dialect the portal understands, in the order in which their values are taken. README.md: how to add one."""

from . import (
    agentops,
    claude_code,
    frameworks,
    genai,
    guards,
    langfuse,
    litellm,
    livekit,
    logfire,
    mlflow,
    openinference,
    traceloop,
    vercel,
)
from .base import Dialect

DIALECTS: tuple[Dialect, ...] = (
    litellm.DIALECT,
    genai.DIALECT,
    agentops.DIALECT,
    openinference.DIALECT,
    traceloop.DIALECT,
    langfuse.DIALECT,
    vercel.DIALECT,
    mlflow.DIALECT,
    livekit.DIALECT,
    claude_code.DIALECT,
    frameworks.DIALECT,
    logfire.DIALECT,
    guards.DIALECT,
)

__all__ = ["DIALECTS", "Dialect"]
