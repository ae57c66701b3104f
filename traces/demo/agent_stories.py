"""Stories of agents that trace themselves: agentops SDK, OpenTelemetry GenAI, OpenInference."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from . import openinference, scenarios
from .agentops_sdk import Chat, SdkSession
from .catalogue import GPT_4_1, GPT_4O_MINI, MODELS, Usage, estimate_tokens
from .genai import AgentRun, AgentTrace
from .openinference import Question
from .otlp import SECOND
from .recorder import Recorder
from .scenarios import ToolUse, Turn

RATE_LIMIT = "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4.1', 'code': 'rate_limit_exceeded'}}"
OVERLOADED = "Error code: 500 - {'error': {'message': 'The server had an error while processing your request'}}"


class AgentStories:
    """Each story takes the start (ns) and `more`, which says whether another trace may start at a time."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._chance = recorder.chance

    def research(self, start: int, more: Callable[[int], bool]) -> None:
        """Planner, researcher and writer hand over to each other."""
        document = scenarios.document("research")
        entry = self._chance.choice(document["entries"])
        tags = [document["application"], document["team"], entry["language"]]
        run = SdkSession(self._recorder, start, document["application"], entry["question"], tags)
        tripped = self._chance.random() < 0.06
        run.guardrail("no_confidential_names", entry["question"], tripped=tripped)
        if tripped:
            run.end("Stopped: the request names a confidential client.")
            return
        self._plan(run, document["prompts"]["planner"], entry)
        notes = self._search(run, document["prompts"]["researcher"], entry)
        if self._write(run, document["prompts"]["writer"], entry, notes):
            run.guardrail("cites_sources", entry["report"], tripped=False, phase="output")
            run.end(entry["report"])
        else:
            run.end("null", "Indeterminate")

    def analyst(self, start: int, more: Callable[[int], bool]) -> None:
        """One agent answers a question with SQL; at times its first statement fails and it tries again."""
        topic = scenarios.topic("data_analysis")
        conversation = topic.conversation(self._chance)
        turn, use = next((turn, turn.tool) for turn in conversation.turns if turn.tool)
        run = SdkSession(self._recorder, start, topic.application, turn.question, [topic.application, topic.team])
        run.begin("DataAnalyst", "agent", turn.question)
        run.begin("write_sql", "task", turn.question)
        asked = [("system", conversation.system), ("user", turn.question)]
        run.chat(self._chat(asked, use.arguments))
        run.finish({"agentops.task.output": use.arguments})
        took = self._recorder.milliseconds(80, 2_500)
        if self._chance.random() < 0.2:
            run.tool("run_sql", use.arguments, "", took, error=use.tool.failure)
            run.chat(self._chat([*asked, ("user", use.tool.failure)], use.arguments))
        run.tool("run_sql", use.arguments, use.result, took)
        run.begin("explain", "task", use.result)
        run.chat(self._chat([*asked, ("user", use.result)], turn.answer, streaming=True))
        run.finish({"agentops.task.output": turn.answer})
        run.finish()
        run.end(turn.answer)

    def travel(self, start: int, more: Callable[[int], bool]) -> None:
        """A conversation with the travel agent: one invocation a question."""
        topic = scenarios.topic("travel_planning")
        conversation = topic.conversation(self._chance)
        alias = self._chance.choices(list(topic.models), list(topic.models.values()))[0]
        user = self._chance.choice(topic.users)
        run = AgentRun(topic.application, f"trip-{self._recorder.uuid()[:8]}", user, MODELS[alias])
        messages: list[dict[str, Any]] = [{"role": "system", "content": conversation.system}]
        for turn in conversation.turns:
            if not more(start):
                return
            messages.append({"role": "user", "content": turn.question})
            end = self._invoke(start, run, messages, turn, list(topic.tools.values()))
            start = end + self._chance.randrange(20, 140) * SECOND

    def handbook(self, start: int, more: Callable[[int], bool]) -> None:
        """A question to the handbook."""
        document = scenarios.document("knowledge_base")
        entry = self._chance.choice(document["entries"])
        question = Question(
            text=self._chance.choice(entry["question"]),
            passages=entry["passages"],
            answer=entry["answer"],
            system=document["system"][entry["language"]],
            user=self._chance.choice(document["users"]),
            session=f"handbook-{self._recorder.uuid()[:8]}",
            error=OVERLOADED if self._chance.random() < 0.03 else "",
        )
        openinference.answered(self._recorder, start, question, GPT_4O_MINI)

    def _plan(self, run: SdkSession, prompt: str, entry: dict[str, Any]) -> None:
        run.begin("Planner", "agent", entry["question"])
        run.begin("plan", "task", entry["question"])
        plan = "\n".join(f"{number}. {step}" for number, step in enumerate(entry["steps"], 1))
        run.chat(self._chat([("system", prompt), ("user", entry["question"])], plan))
        run.finish({"agentops.task.output": plan})
        self._hand_over(run, "researcher", plan)
        run.finish()

    def _search(self, run: SdkSession, prompt: str, entry: dict[str, Any]) -> list[str]:
        notes = []
        run.begin("Researcher", "agent", "\n".join(entry["steps"]))
        for step, finding in zip(entry["steps"], entry["findings"], strict=True):
            run.begin("search", "task", step)
            if self._chance.random() < 0.1:
                run.tool("web_search", step, "", 5 * SECOND, error="web search did not answer within 5 s")
            found = json.dumps([{"title": step, "snippet": finding, "rank": 1}], ensure_ascii=False)
            run.tool("web_search", step, found, self._recorder.milliseconds(300, 1_800), cost=0.005)
            note = f"{step}: {finding}"
            run.chat(self._chat([("system", prompt), ("user", step), ("user", found)], note))
            run.finish({"agentops.task.output": note})
            notes.append(note)
        self._hand_over(run, "writer", "\n".join(notes))
        run.finish()
        return notes

    def _write(self, run: SdkSession, prompt: str, entry: dict[str, Any], notes: Sequence[str]) -> bool:
        run.begin("Writer", "agent", "\n".join(notes))
        run.begin("write", "task", "\n".join(notes))
        asked = [("system", prompt), ("user", entry["question"]), ("user", "\n".join(notes))]
        failed = self._chance.random() < 0.08
        run.chat(self._chat(asked, entry["report"], streaming=not failed, error=RATE_LIMIT if failed else ""))
        if failed:
            run.fail("RateLimitError", RATE_LIMIT)
            run.fail("RateLimitError", RATE_LIMIT)
            return False
        run.finish({"agentops.task.output": entry["report"]})
        run.finish()
        return True

    def _hand_over(self, run: SdkSession, agent: str, message: str) -> None:
        run.tool(f"transfer_to_{agent}", message, '{"accepted": true}', self._recorder.milliseconds(0.5, 3))

    def _invoke(
        self, start: int, run: AgentRun, messages: list[dict[str, Any]], turn: Turn, tools: Sequence[Any]
    ) -> int:
        trace = AgentTrace(self._recorder, start, run)
        if self._chance.random() < 0.04:
            trace.rate_limited(messages)
        answer = turn.answer
        if turn.tool:
            trace.chat(messages, turn.tool, self._usage(messages, turn.tool.arguments), tools)
            failed = self._chance.random() < 0.1
            trace.tool(turn.tool, failed=failed)
            if failed:
                trace.tool(turn.tool, failed=False)
            self._remember(messages, turn.tool)
        trace.chat(messages, answer, self._usage(messages, answer), tools)
        messages.append({"role": "assistant", "content": answer})
        return trace.end()

    def _remember(self, messages: list[dict[str, Any]], use: ToolUse) -> None:
        messages.append({"role": "assistant", "content": use.arguments, "use": use})
        messages.append({"role": "tool", "content": use.result})

    def _usage(self, messages: Sequence[dict[str, Any]], answer: str) -> Usage:
        asked = sum(estimate_tokens(message["content"]) + 4 for message in messages)
        return Usage(asked, estimate_tokens(answer))

    def _chat(
        self, messages: Sequence[tuple[str, str]], answer: str, *, streaming: bool = False, error: str = ""
    ) -> Chat:
        usage = Usage(sum(estimate_tokens(text) + 4 for _, text in messages), estimate_tokens(answer))
        return Chat(GPT_4_1, messages, answer, usage, streaming, error)
