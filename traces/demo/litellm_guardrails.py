"""Runs of the sample proxy's guardrails, as LiteLLM 1.106 reports them.

Three look at the prompt before the call (two of the team's own, then LiteLLM's content filter), one at the answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .litellm_attributes import CONTENT_FILTER, OUTPUT_FILTER, PROMPT_INJECTION, TOXICITY, Failure
from .otlp import Attributes, Value
from .recorder import Recorder

ALLOW = '"allow"'


@dataclass(frozen=True)
class Run:
    """One guardrail run; `offset` is its start after the first run of its phase, both times in nanoseconds."""

    name: str
    mode: str  # pre_call or post_call
    status: str  # success, guardrail_intervened, guardrail_flagged or guardrail_failed_to_respond
    response: str  # JSON text
    duration: int
    offset: int = 0
    masked: Mapping[str, int] | None = None  # what the content filter replaced; None: another guardrail

    @property
    def is_sent_twice_on_failure(self) -> bool:
        """LiteLLM sends these runs under the server span again when the request fails; ids differ, times do not."""
        return self.name == CONTENT_FILTER or (self.mode == "post_call" and self.status == "guardrail_intervened")

    def attributes(self, team: Attributes) -> Attributes:
        attributes: dict[str, Value] = {
            "openinference.span.kind": "GUARDRAIL",
            "guardrail_name": self.name,
            "guardrail_mode": self.mode,
        }
        if self.masked is not None:
            attributes["masked_entity_count"] = json.dumps(dict(self.masked))
        return attributes | {"guardrail_response": self.response, "guardrail_status": self.status} | dict(team)


class Checks:
    """The runs before one call, in order; each method counts what it adds."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.runs: list[Run] = []

    def allow(self, *, flagged: bool = False) -> "Checks":
        """All three let the prompt pass; `flagged`: the toxicity check has doubts but does not stop it."""
        self._injection(ALLOW)
        if flagged:
            self._toxicity('{"label": "insult", "score": 0.71}', "guardrail_flagged", "flagged")
        else:
            self._toxicity(ALLOW)
        self._filter([], {}, "allowed")
        return self

    def mask(self, found: Mapping[str, int]) -> "Checks":
        """The content filter replaces what it found: pattern -> 1, for LiteLLM counts patterns, not places."""
        self._injection(ALLOW)
        self._toxicity(ALLOW)
        self._filter([{"type": "pattern", "pattern_name": name, "action": "MASK"} for name in found], found, "masked")
        return self

    def block_pattern(self, pattern: str) -> "Checks":
        """The content filter refuses the prompt."""
        self._injection(ALLOW)
        self._toxicity(ALLOW)
        self._filter([{"type": "pattern", "pattern_name": pattern, "action": "BLOCK"}], {}, "blocked")
        return self

    def block_injection(self) -> "Checks":
        """The first guardrail refuses the prompt, so the others never run."""
        refusal = repr({"error": "Violated guardrail policy", "guardrail": PROMPT_INJECTION})
        self._injection(json.dumps(f"400: {refusal}"), "guardrail_intervened", "blocked")
        return self

    def break_down(self, reason: str) -> "Checks":
        """The service behind the toxicity check does not answer, and LiteLLM fails the request."""
        self._injection(ALLOW)
        self._toxicity(json.dumps(reason), "guardrail_failed_to_respond", "failed")
        return self

    def _injection(self, response: str, status: str = "success", outcome: str = "allowed") -> None:
        self._add(PROMPT_INJECTION, response, status, outcome, self._recorder.milliseconds(0.1, 0.4))

    def _toxicity(self, response: str, status: str = "success", outcome: str = "allowed") -> None:
        duration = self._recorder.milliseconds(1_990, 2_010) if outcome == "failed" else None
        self._add(TOXICITY, response, status, outcome, duration or self._recorder.milliseconds(18, 95))

    def _filter(self, found: Sequence[Mapping[str, str]], masked: Mapping[str, int], outcome: str) -> None:
        status = "guardrail_intervened" if outcome == "blocked" else "success"
        took = self._recorder.milliseconds(0.2, 1.5)
        self._add(CONTENT_FILTER, json.dumps(found), status, outcome, took, masked)

    def _add(
        self, name: str, response: str, status: str, outcome: str, took: int, masked: Mapping[str, int] | None = None
    ) -> None:
        offset = self.runs[-1].offset + self.runs[-1].duration if self.runs else 0
        self.runs.append(Run(name, "pre_call", status, response, took, offset, masked))
        self._recorder.count_guardrail(outcome)


def check_answer(recorder: Recorder, completion: str | None) -> Run:
    """The run after the call: it records the whole completion (JSON) it let pass; None: it blocked the answer."""
    took = recorder.milliseconds(0.3, 2)
    recorder.count_guardrail("allowed" if completion else "blocked")
    if completion:
        return Run(OUTPUT_FILTER, "post_call", "success", completion, took)
    refusal = repr({"error": "Output blocked", "guardrail": OUTPUT_FILTER})
    return Run(OUTPUT_FILTER, "post_call", "guardrail_intervened", json.dumps(f"400: {refusal}"), took)


def refusal(guardrail: str, mode: str = "pre_call", pattern: str = "") -> Failure:
    """The HTTP 400 that a block is to the caller."""
    detail = {"error": f"Content blocked: {pattern} pattern detected", "pattern": pattern} if pattern else {}
    if not pattern:
        error = "Output blocked" if mode == "post_call" else "Violated guardrail policy"
        detail = {"error": error, "guardrail": guardrail}
    detail |= {"guardrail_name": guardrail, "guardrail_mode": mode}
    return Failure(400, "HTTPException", "fastapi.exceptions.HTTPException", f"400: {detail!r}")


def breakdown(reason: str) -> Failure:
    """The HTTP 500 that a guardrail which does not answer is to the caller."""
    return Failure(500, "RuntimeError", "RuntimeError", reason, coded=False)
