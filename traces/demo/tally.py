"""What the generator knows it made, to be compared with what the portal shows."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass
class Tally:
    """Figures of the generated traffic by the definitions of the portal: calls and runs are counted, not spans."""

    traces: int = 0
    spans: int = 0
    llm_calls: int = 0
    failed_llm_calls: int = 0
    cache_hits: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    reported_cost: Decimal = Decimal(0)  # US dollars that the client stated; a cache hit states what it saved
    cached_cost: Decimal = Decimal(0)  # the part of it that cache hits stated
    tool_calls: int = 0
    failed_tool_calls: int = 0
    guardrail_runs: Counter[str] = field(default_factory=Counter)  # outcome -> runs, each once however often sent
    models: Counter[str] = field(default_factory=Counter)  # model that a call asked its provider for -> calls
    sessions: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        return {
            "traces": self.traces,
            "spans": self.spans,
            "llm_calls": self.llm_calls,
            "failed_llm_calls": self.failed_llm_calls,
            "cache_hits": self.cache_hits,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "reported_cost": str(self.reported_cost),
            "tool_calls": self.tool_calls,
            "failed_tool_calls": self.failed_tool_calls,
            "guardrail_runs": dict(sorted(self.guardrail_runs.items())),
            "models": dict(sorted(self.models.items())),
            "sessions": len(self.sessions),
            "users": len(self.users),
        }
