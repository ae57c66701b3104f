"""Every dialect the portal understands, in the order in which their values are taken. README.md: how to add one."""

from . import agentops, frameworks, genai, guards, langfuse, litellm, logfire, openinference, traceloop, vercel
from .base import Dialect

DIALECTS: tuple[Dialect, ...] = (
    litellm.DIALECT,
    genai.DIALECT,
    agentops.DIALECT,
    openinference.DIALECT,
    traceloop.DIALECT,
    langfuse.DIALECT,
    frameworks.DIALECT,
    logfire.DIALECT,
    vercel.DIALECT,
    guards.DIALECT,
)

__all__ = ["DIALECTS", "Dialect"]
