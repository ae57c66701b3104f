"""Every dialect the portal understands, in the order in which their values are taken. README.md: how to add one."""

from . import agentops, genai, guards, langfuse, litellm, openinference, traceloop
from .base import Dialect

DIALECTS: tuple[Dialect, ...] = (
    litellm.DIALECT,
    genai.DIALECT,
    agentops.DIALECT,
    openinference.DIALECT,
    traceloop.DIALECT,
    langfuse.DIALECT,
    guards.DIALECT,
)

__all__ = ["DIALECTS", "Dialect"]
