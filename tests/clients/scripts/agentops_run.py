"""An application with the agentops SDK: everything it needs to know of the portal comes from the environment.

argv[1] is the OpenAI base URL.
"""

import sys
from contextlib import suppress

import agentops
from agentops.sdk.decorators import agent, guardrail, operation, tool, trace
from openai import OpenAI, RateLimitError

agentops.init(auto_start_session=False)
client = OpenAI(base_url=sys.argv[1], api_key="sk-fake", max_retries=0)


@guardrail(spec="input")
def no_phone_numbers(text: str) -> dict[str, bool]:
    return {"tripwire_triggered": "010-" in text}


@tool(cost=0.01)
def search(question: str) -> list[str]:
    return [f"result for {question}"]


@tool
def broken_search(question: str) -> list[str]:
    raise ValueError(f"no index for {question}")


@agent
class Researcher:
    @operation
    def think(self, question: str) -> str:
        search(question)
        print("asked:", question)  # noqa: T201  (the SDK uploads it as the log of the trace)
        messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": question}]
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        return str(answer.choices[0].message.content)

    @operation
    def fail(self) -> None:
        client.chat.completions.create(model="err-429", messages=[{"role": "user", "content": "boom"}])


@trace(name="research-run", tags=["demo"])
def run() -> str:
    no_phone_numbers("한국의 수도는?")
    no_phone_numbers("call 010-1234-5678")
    researcher = Researcher()
    for failing in (researcher.fail, lambda: broken_search("x")):
        with suppress(RateLimitError, ValueError):
            failing()
    return researcher.think("한국의 수도는?")


print(run())  # noqa: T201
