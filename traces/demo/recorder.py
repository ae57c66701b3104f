"""What every dialect writes to: the traces made so far, their count, and the two streams of chance."""

import uuid
from dataclasses import dataclass, field
from random import Random

from .catalogue import Cost, Model, Usage
from .otlp import MILLISECOND, Service, Trace
from .tally import Tally


@dataclass
class Recorder:
    """`chance` decides what happens, `ids` gives identifiers: so another run has the same story under new ids."""

    chance: Random
    ids: Random
    traces: list[Trace] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    def trace(self, service: Service) -> Trace:
        trace = Trace(service, self.ids)
        self.traces.append(trace)
        self.tally.traces += 1
        return trace

    def uuid(self) -> str:
        return str(uuid.UUID(bytes=self.ids.randbytes(16), version=4))

    def milliseconds(self, low: float, high: float) -> int:
        """A duration between the two, in nanoseconds."""
        return int(self.chance.uniform(low, high) * MILLISECOND)

    def count_call(
        self, model: Model, usage: Usage | None, *, cost: Cost | None = None, cache_hit: bool = False
    ) -> None:
        """One model invocation; without `usage` it failed, without `cost` the client stated none."""
        self.tally.llm_calls += 1
        self.tally.models[model.name] += 1
        self.tally.failed_llm_calls += usage is None
        self.tally.cache_hits += cache_hit
        if usage and not cache_hit:
            self.tally.input_tokens += usage.input
            self.tally.output_tokens += usage.output
            self.tally.total_tokens += usage.total
        if cost:
            self.tally.reported_cost += cost.total
            self.tally.cached_cost += cost.total if cache_hit else 0

    def count_tool(self, *, failed: bool) -> None:
        self.tally.tool_calls += 1
        self.tally.failed_tool_calls += failed

    def count_guardrail(self, outcome: str) -> None:
        """`outcome`: allowed, masked, flagged, blocked or failed; call once a run, however often it is sent."""
        self.tally.guardrail_runs[outcome] += 1
