"""Claude Code, the command-line agent, with its traces switched on."""

from .base import Dialect, sum_of

_KIND = "SpanAttributes['span.type']"
_ALL_INPUT = sum_of("input_tokens", "cache_read_tokens", "cache_creation_tokens")

DIALECT = Dialect(
    name="claude_code",
    reference="https://docs.claude.com/en/docs/claude-code/monitoring-usage",
    kinds={
        "span.type": {
            "interaction": "workflow",
            "llm_request": "llm",
            "tool": "tool",
            "tool.execution": "task",
            "tool.blocked_on_user": "task",
            "hook": "task",
        }
    },
    values={
        "input_tokens": (
            # As Anthropic counts: the cache apart.
            f"(if({_KIND} = 'llm_request', {_ALL_INPUT}, ''))",
            "input_tokens",  # spans made by hand
        ),
        "output_tokens": ("output_tokens",),
        "cache_read": ("cache_read_tokens",),
        "cache_write": ("cache_creation_tokens",),
        "tool_name": (f"(if({_KIND} = 'tool', SpanAttributes['tool_name'], ''))",),
    },
)
