"""Claude Code, the command-line agent, with its traces switched on."""

from .base import Dialect

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
        "input_alone": ("input_tokens",),  # of spans made by hand, too
        "output_tokens": ("output_tokens",),
        "cache_read": ("cache_read_tokens",),
        "cache_write": ("cache_creation_tokens",),
        "entity": ("tool_name",),
    },
    # As Anthropic counts; later versions say it in the words of the conventions, too, and then as those count.
    tokens_apart="ScopeName = 'com.anthropic.claude_code.tracing' AND told('input_tokens') = ''",
)
