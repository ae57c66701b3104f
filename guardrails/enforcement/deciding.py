"""One check of the guardrail: content rules first, then limits, then the note in the ledger."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import re2
from django.utils.translation import gettext as _

from projects.credentials import Credential

from . import ledger
from .content import STRICTNESS, Findings, look_at
from .in_force import in_force
from .json_texts import call_texts, message_texts, rewritten, with_calls
from .limits import Call, State, take
from .models import LONGEST_ID, LONGEST_VALUE, TRACE_ID, Action, Decision, Phase, kept

BYTES_PER_TOKEN: Final = 4  # of UTF-8: a Latin word and two syllables of Hangul come to one or two tokens
BLOCKED: Final = "Content violates policy"


@dataclass(frozen=True)
class Check:
    """What a client asks about. Lists are as OpenAI writes them."""

    credential: Credential
    phase: str
    source: str
    texts: list[str] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)
    tool_calls: list[Any] = field(default_factory=list)
    model: str = ""
    user: str = ""
    key: str = ""
    trace_id: str = ""
    parent_id: str = ""  # of the span within which the check was made
    call_id: str = ""
    is_traced: bool = False  # the client itself sends a span for this run of the guardrail

    @property
    def project_id(self) -> UUID:
        return self.credential.project_id

    def all_texts(self) -> Iterator[str]:
        yield from self.texts
        yield from message_texts(self.messages)
        yield from call_texts(self.tool_calls)


@dataclass(frozen=True)
class Verdict:
    """action: one of Action. texts, messages, tool_calls: as they may pass, in the form and order they came in."""

    id: UUID
    action: str
    shadow_action: str  # what rules and limits that only watch would have done; '' nothing
    reason: str
    findings: Findings
    limits: list[State]
    check: Check

    @property
    def texts(self) -> list[str]:
        return [self.findings.look(text) for text in self.check.texts]

    @property
    def messages(self) -> list[Any]:
        return rewritten(self.check.messages, self.findings.look)

    @property
    def tool_calls(self) -> list[Any]:
        return with_calls(self.check.tool_calls, self.findings.look)


def decide(check: Check) -> Verdict:
    """What may pass. Raises in_force.RulesUnknown."""
    began, at = time.perf_counter_ns(), datetime.now(UTC)
    known = in_force(check.project_id)
    findings = look_at(known.rules, check.phase, check.all_texts())
    states: list[State] = []
    if check.phase == Phase.INPUT and known.limits and findings.action() != Action.BLOCK:
        states = take(known.limits, _call(check), at)
    verdict = _verdict(check, findings, states)
    note = ledger.note_block if verdict.action == Action.BLOCK else ledger.note
    note(_row(verdict, at, (time.perf_counter_ns() - began) // 1000), check)
    return verdict


def _verdict(check: Check, findings: Findings, states: list[State]) -> Verdict:
    action, shadow = findings.action(), findings.action(shadow=True)
    reason = ""
    if (rule := findings.deciding()) is not None and action != Action.ALLOW:
        reason = (rule.reason or BLOCKED) if action == Action.BLOCK else rule.name
    for state in states:
        if not state.refused:
            continue
        if state.limit.shadow:
            shadow = Action.BLOCK
        elif action != Action.BLOCK:
            action, reason = Action.BLOCK, refusal(state)
    shadow_action = shadow if STRICTNESS[shadow] > STRICTNESS[Action.ALLOW] else ""
    return Verdict(uuid4(), action, shadow_action, reason, findings, states, check)


def refusal(state: State) -> str:
    """What a caller is told whom a limit refuses: what is used up, of how much, until when."""
    limit = state.limit
    if state.used is None:
        return _("%(name)s: what was used cannot be counted now. Try again.") % {"name": limit.name}
    values = {
        "name": limit.name,
        "used": limit.shown(state.used),
        "reserved": limit.shown(state.reserved),
        "limit": limit.amount_shown,
        "time": f"{state.resets_at:%Y-%m-%d %H:%M} UTC",
    }
    if state.reserved:
        text = _("%(name)s: %(used)s used and %(reserved)s reserved of %(limit)s. It starts anew at %(time)s.")
    else:
        text = _("%(name)s: %(used)s used of %(limit)s. It starts anew at %(time)s.")
    return text % values


def _call(check: Check) -> Call:
    texts = check.texts or list(check.all_texts())
    tokens = -(-sum(len(text.encode()) for text in texts) // BYTES_PER_TOKEN)
    return Call(
        check.project_id,
        kept(check.key, LONGEST_VALUE),
        kept(check.user, LONGEST_VALUE),
        kept(check.model, LONGEST_VALUE),
        # Of a session that a client named there is no such trace: its reservation ends by time.
        check.trace_id if re2.fullmatch(TRACE_ID, check.trace_id) else "",
        kept(check.call_id, LONGEST_ID),
        tokens,
    )


def _row(verdict: Verdict, at: datetime, latency_us: int) -> Decision:
    check = verdict.check
    rules = verdict.findings.told() + [
        {
            "id": str(state.limit.pk),
            "name": state.limit.name,
            "action": Action.BLOCK,
            "shadow": state.limit.shadow,
            "found": {},
        }
        for state in verdict.limits
        if state.refused
    ]
    return Decision(
        id=verdict.id,
        project_id=check.project_id,
        at=at,
        source=check.source,
        phase=check.phase,
        action=verdict.action,
        shadow_action=verdict.shadow_action,
        reason=verdict.reason[:400],
        rules=rules,
        entities=verdict.findings.entities(),
        model=kept(check.model, LONGEST_VALUE),
        user=kept(check.user, LONGEST_VALUE),
        key=kept(check.key, LONGEST_VALUE),
        trace_id=kept(check.trace_id, LONGEST_ID),
        call_id=kept(check.call_id, LONGEST_ID),
        latency_us=latency_us,
    )
