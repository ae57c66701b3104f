"""Stories told through the LiteLLM proxy: conversations with what goes wrong in them, embeddings, probes, attacks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from . import litellm, scenarios
from .catalogue import CLAUDE_SONNET, EMBEDDING, GPT_4O_MINI, MODELS, Model, Usage, estimate_tokens
from .litellm import Attempt
from .litellm_attributes import CONTENT_FILTER, OUTPUT_FILTER, PROMPT_INJECTION, Answer, Call, Caller, Failure
from .litellm_guardrails import Checks, breakdown, refusal
from .otlp import SECOND
from .recorder import Recorder
from .scenarios import ToolUse, Topic, Turn

TOPICS = {"support_desk": 6, "contract_review": 2, "data_analysis": 3}
CACHE_BLOCK = 128  # tokens; OpenAI caches prompts from 1,024 tokens on in steps of this size

APOLOGY = {
    "ko": "지금은 조회가 되지 않습니다. 잠시 후 다시 확인해 드리겠습니다.",
    "en": "I cannot look that up right now. I will try again in a few minutes.",
}
UNANSWERED = "toxicity service did not answer within 2 s"

# What happens to a request, by weight. Most of the time: nothing.
EVENTS = {
    "fine": 820,
    "flagged": 10,
    "cache hit": 35,
    "masked": 75,
    "pattern blocked": 36,
    "injection blocked": 10,
    "answer blocked": 8,
    "guardrail down": 6,
    "rate limited": 16,
    "server error": 8,
    "timeout": 5,
    "fallback": 15,
}
PERSONAL_DATA = {"masked", "pattern blocked"}


@dataclass
class Visit:
    """One user in one application: the messages so far, and when the next request starts (ns)."""

    caller: Caller
    model: Model
    topic: Topic
    language: str
    messages: list[Mapping[str, Any]]
    clock: int


class ProxyStories:
    """Each story takes the start and `more`, which says whether another trace may start at a time."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._chance: Random = recorder.chance

    def conversation(self, start: int, more: Callable[[int], bool], event: str | None = None) -> None:
        """A user asks, reads, asks again; `event` happens to every request, by default each draws its own."""
        topic = scenarios.topic(self._draw(TOPICS))
        model = MODELS[self._draw(topic.models)]
        if event in {"fallback", "server error"}:
            model = CLAUDE_SONNET  # the provider that has its bad hour
        chosen = topic.conversation(self._chance)
        visit = Visit(
            self._caller(topic), model, topic, chosen.language, [{"role": "system", "content": chosen.system}], start
        )
        for turn in chosen.turns:
            if not more(visit.clock) or not self._turn(visit, turn, event or self._draw(EVENTS), more):
                return
            visit.clock += self._chance.randrange(15, 110) * SECOND  # the user reads and writes

    def attack(self, start: int, more: Callable[[int], bool]) -> None:
        """One person tries to talk the support bot out of its rules, again and again."""
        topic = scenarios.topic("support_desk")
        caller = replace(self._caller(topic), user="guest-7f31")
        system = topic.conversation(self._chance).system
        for sent in self._chance.sample(scenarios.document("guardrails")["injections"], 4):
            if not more(start):
                return
            call = self._call(caller, GPT_4O_MINI, _opening(system, sent))
            start = self._block_injection(start, call) + self._chance.randrange(8, 40) * SECOND

    def embeddings(self, start: int, more: Callable[[int], bool]) -> None:
        """A nightly job indexes passages of the handbook."""
        entries = scenarios.document("knowledge_base")["entries"]
        caller = Caller("handbook-indexer", "people", "svc-indexer", f"index-{self._recorder.uuid()[:8]}")
        for entry in self._chance.sample(entries, 3):
            if not more(start):
                return
            passages = [{"role": "user", "content": text} for text in entry["passages"]]
            call = self._call(caller, EMBEDDING, passages, operation="aembedding")
            usage = Usage(sum(estimate_tokens(text) for text in entry["passages"]), 0)
            answer = Answer("", usage, EMBEDDING.cost(usage), call.call_id)
            attempt = Attempt(call, EMBEDDING.latency(usage, self._chance), answer)
            checks = Checks(self._recorder).allow().runs
            start = litellm.completed(self._recorder, start, [attempt], checks) + self._recorder.milliseconds(20, 200)

    def probe(self, start: int, more: Callable[[int], bool]) -> None:
        """Kubernetes asks whether the proxy lives."""
        litellm.probed(self._recorder, start)

    def expired_key(self, start: int, more: Callable[[int], bool]) -> None:
        """A forgotten script still uses a key that has expired."""
        caller = Caller("nightly-report", "data", "svc-report", "nightly-report")
        call = self._call(caller, GPT_4O_MINI, _opening("You write reports.", "Summarise yesterday's orders."))
        message = "Authentication Error, Authentication Error - Expired Key. Key Expiry time 2026-01-31 00:00:00+00:00"
        failure = Failure(401, "ProxyException", "litellm.proxy._types.ProxyException", message)
        litellm.refused(self._recorder, start, call, failure)

    def _turn(self, visit: Visit, turn: Turn, event: str, more: Callable[[int], bool]) -> bool:
        """One question, with a second request when a tool is used; False: the user gives up."""
        if event in PERSONAL_DATA:
            if visit.topic.application == "support-bot":
                return self._personal_data(visit, event)
            event = "fine"  # nobody sends a phone number to the SQL analyst
        visit.messages.append({"role": "user", "content": turn.question})
        if event not in {"fine", "flagged"}:
            return self._event(visit, turn.answer, event)
        if turn.tool is None:
            self._ask(visit, turn.answer, flagged=event == "flagged")
            return True
        self._ask(visit, turn.tool, flagged=event == "flagged")
        visit.clock += self._recorder.milliseconds(30, 900)  # the application runs the tool
        if not more(visit.clock):
            return False
        failed = self._chance.random() < 0.08
        result = turn.tool.tool.failure if failed else turn.tool.result
        visit.messages.append({"role": "tool", "content": result, "tool_call_id": "call_1"})
        self._ask(visit, APOLOGY[visit.language] if failed else turn.answer)
        return True

    def _event(self, visit: Visit, answer: str, event: str) -> bool:
        call = self._call(visit.caller, visit.model, visit.messages)
        checks = Checks(self._recorder)
        if event == "cache hit":
            hit = replace(self._answer(call, answer), cache_key=self._recorder.ids.randbytes(32).hex())
            attempt = Attempt(call, self._recorder.milliseconds(2, 9), hit)
            self._complete(visit, [attempt], checks.allow(), answer)
            return True
        if event == "fallback":
            backup = replace(call, model=GPT_4O_MINI)
            failed = self._failed(call, _server_error(call.model))
            found = replace(self._answer(backup, answer), fallbacks=1)
            attempts = [failed, Attempt(backup, backup.model.latency(found.usage, self._chance), found)]
            self._complete(visit, attempts, checks.allow(), answer)
            return True
        if event == "answer blocked":
            withheld = self._answer(call, answer)
            took = call.model.latency(withheld.usage, self._chance)
            failure = refusal(OUTPUT_FILTER, "post_call")
            visit.clock = litellm.answer_blocked(
                self._recorder, visit.clock, call, took, withheld.cost, checks.allow().runs, failure
            )
        elif event == "guardrail down":
            runs = checks.break_down(UNANSWERED).runs
            visit.clock = litellm.broken(self._recorder, visit.clock, call, runs, breakdown(UNANSWERED))
        elif event == "injection blocked":
            sent = self._chance.choice(scenarios.document("guardrails")["injections"])
            visit.clock = self._block_injection(visit.clock, replace(call, messages=[*call.messages[:-1], _user(sent)]))
        else:
            failure = {"rate limited": _rate_limit, "server error": _server_error, "timeout": _timeout}[event](
                call.model
            )
            visit.clock = litellm.completed(
                self._recorder, visit.clock, [self._failed(call, failure)], checks.allow().runs
            )
        return False

    def _personal_data(self, visit: Visit, event: str) -> bool:
        texts = scenarios.document("guardrails")
        if event == "pattern blocked":
            chosen = self._chance.choice(texts["blocked"])
            call = self._call(visit.caller, visit.model, [*visit.messages, _user(chosen["sent"])])
            failure = refusal(CONTENT_FILTER, pattern=chosen["pattern"])
            runs = Checks(self._recorder).block_pattern(chosen["pattern"]).runs
            visit.clock = litellm.blocked(self._recorder, visit.clock, call, runs, failure)
            return False
        chosen = self._chance.choice([text for text in texts["masked"] if text["language"] == visit.language])
        visit.messages.append(_user(chosen["masked"]))
        call = self._call(visit.caller, visit.model, visit.messages)
        answer = self._answer(call, chosen["answer"])
        attempt = Attempt(call, call.model.latency(answer.usage, self._chance), answer)
        self._complete(visit, [attempt], Checks(self._recorder).mask(chosen["found"]), chosen["answer"])
        return True

    def _ask(self, visit: Visit, answer: str | ToolUse, *, flagged: bool = False) -> None:
        streaming = isinstance(answer, str) and self._chance.random() < 0.3
        tools = list(visit.topic.tools.values())
        call = self._call(visit.caller, visit.model, visit.messages, streaming=streaming, tools=tools)
        found = self._answer(call, answer)
        attempt = Attempt(call, call.model.latency(found.usage, self._chance), found)
        checks = Checks(self._recorder).allow(flagged=flagged)
        self._complete(visit, [attempt], checks, answer)

    def _complete(self, visit: Visit, attempts: Sequence[Attempt], checks: Checks, answer: str | ToolUse) -> None:
        visit.clock = litellm.completed(self._recorder, visit.clock, attempts, checks.runs)
        if isinstance(answer, str):
            visit.messages.append({"role": "assistant", "content": answer})
            return
        function = {"name": answer.tool.name, "arguments": answer.arguments}
        wish = [{"id": "call_1", "type": "function", "function": function}]
        visit.messages.append({"role": "assistant", "content": None, "tool_calls": wish})

    def _block_injection(self, start: int, call: Call) -> int:
        runs = Checks(self._recorder).block_injection().runs
        return litellm.blocked(self._recorder, start, call, runs, refusal(PROMPT_INJECTION))

    def _failed(self, call: Call, failure: Failure) -> Attempt:
        seconds = 60 if failure.status == 408 else self._chance.uniform(0.2, 1.6)
        return Attempt(call, int(seconds * SECOND), failure)

    def _answer(self, call: Call, answer: str | ToolUse) -> Answer:
        text = answer if isinstance(answer, str) else answer.arguments
        usage = self._usage(call, text)
        response_id = f"chatcmpl-{self._recorder.uuid()}"
        tool = None if isinstance(answer, str) else answer
        return Answer(text, usage, call.model.cost(usage), response_id, tool)

    def _usage(self, call: Call, text: str) -> Usage:
        asked = sum(estimate_tokens(str(message.get("content") or "")) + 4 for message in call.messages)
        asked += sum(estimate_tokens(tool.parameters) + 12 for tool in call.tools)
        cached = asked // CACHE_BLOCK * CACHE_BLOCK if asked >= 8 * CACHE_BLOCK and len(call.messages) > 2 else 0
        reasoning = self._chance.randrange(60, 400) if call.model.alias == "qwen-235b" else 0
        return Usage(asked, estimate_tokens(text) + reasoning, cached, reasoning)

    def _caller(self, topic: Topic) -> Caller:
        session = f"{topic.application}-{self._recorder.uuid()[:8]}"
        return Caller(topic.application, topic.team, self._chance.choice(topic.users), session)

    def _call(self, caller: Caller, model: Model, messages: Sequence[Mapping[str, Any]], **options: Any) -> Call:
        return Call(caller, model, list(messages), self._recorder.uuid(), **options)

    def _draw(self, weights: Mapping[str, int]) -> str:
        return self._chance.choices(list(weights), list(weights.values()))[0]


def _user(text: str) -> Mapping[str, Any]:
    return {"role": "user", "content": text}


def _opening(system: str, question: str) -> list[Mapping[str, Any]]:
    return [{"role": "system", "content": system}, _user(question)]


def _rate_limit(model: Model) -> Failure:
    return _provider_failure(
        model,
        429,
        "RateLimitError",
        f"Rate limit reached for {model.name}: 200000 tokens per minute, try again in 1.2s.",
    )


def _server_error(model: Model) -> Failure:
    return _provider_failure(
        model, 500, "InternalServerError", "Overloaded: the server had an error while processing your request."
    )


def _timeout(model: Model) -> Failure:
    return _provider_failure(model, 408, "Timeout", "Request timed out. Timeout passed=60.0, time taken=60.003 seconds")


def _provider_failure(model: Model, status: int, kind: str, reason: str) -> Failure:
    message = f"litellm.{kind}: {kind}: {model.provider.title()}Exception - {reason}"
    return Failure(status, kind, f"litellm.exceptions.{kind}", message, model.provider)
