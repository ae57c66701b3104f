"""Attributes of LiteLLM 1.106's spans, with the names, types and encodings that its `otel` callback writes.

Lists and dicts travel as text: JSON (non-ASCII escaped) under `gen_ai.*` and `hidden_params`, Python's repr under
`metadata.*` and `llm.<provider>.*`. What has no value is an empty text.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .catalogue import Cost, Model, Usage
from .otlp import Attributes, Value
from .scenarios import Tool, ToolUse

# Guardrails of the sample proxy, in the order in which it runs them.
PROMPT_INJECTION = "prompt-injection"
TOXICITY = "toxicity-check"
CONTENT_FILTER = "content-filter"
OUTPUT_FILTER = "output-filter"
GUARDRAILS = [PROMPT_INJECTION, TOXICITY, CONTENT_FILTER, OUTPUT_FILTER]

STACK_TRACE = """  File "/app/.venv/lib/python3.11/site-packages/litellm/utils.py", line 2112, in wrapper_async
    result = await original_function(*args, **call_kwargs)
  File "/app/.venv/lib/python3.11/site-packages/litellm/main.py", line 740, in acompletion
    raise exception_type(
"""

Message = Mapping[str, Any]  # as OpenAI's API takes it


@dataclass(frozen=True)
class Caller:
    """The application that calls the proxy, and for whom."""

    application: str
    team: str
    user: str
    session: str

    @property
    def key_hash(self) -> str:
        return hashlib.sha256(f"{self.application}-prod".encode()).hexdigest()

    @property
    def team_attributes(self) -> dict[str, Value]:
        """Stamped on the raw request, guardrail and failure spans, too."""
        return {"metadata.user_api_key_team_id": f"team-{self.team}", "metadata.user_api_key_team_alias": self.team}


@dataclass(frozen=True)
class Call:
    """One request to the proxy."""

    caller: Caller
    model: Model
    messages: Sequence[Message]
    call_id: str
    operation: str = "acompletion"
    streaming: bool = False
    tools: Sequence[Tool] = ()

    @property
    def route(self) -> str:
        return "/v1/embeddings" if self.operation == "aembedding" else "/v1/chat/completions"

    @property
    def function(self) -> str:
        name = "embeddings" if self.operation == "aembedding" else "chat_completion"
        return f"litellm.proxy.proxy_server.{name}"


@dataclass(frozen=True)
class Answer:
    """What came back: text or a tool call, for so many tokens at such a price."""

    text: str
    usage: Usage
    cost: Cost
    response_id: str
    tool: ToolUse | None = None
    cache_key: str | None = None
    fallbacks: int = 0
    tool_call_id: str = "call_1"

    @property
    def finish_reason(self) -> str:
        return "tool_calls" if self.tool else "stop"


@dataclass(frozen=True)
class Failure:
    """Why a call has no answer: LiteLLM's exception and the HTTP status that the caller gets."""

    status: int
    kind: str  # error.type, e.g. RateLimitError
    qualified: str  # exception.type, e.g. litellm.exceptions.RateLimitError
    message: str
    provider: str = ""  # "" when the proxy itself refused
    coded: bool = True  # LiteLLM writes error.code only for exceptions that carry one

    def attributes(self) -> dict[str, Value]:
        attributes: dict[str, Value] = {"error.code": str(self.status)} if self.coded else {}
        attributes |= {
            "http.response.status_code": self.status,
            "error.type": self.kind,
            "error.message": self.message,
        }
        if self.provider:
            attributes["error.llm_provider"] = self.provider
            attributes["error.stack_trace"] = STACK_TRACE
        return attributes


def request_attributes(
    call: Call, trace_id: str, answer: Answer | None, failure: Failure | None, paid: Cost | None = None
) -> Attributes:
    """All of `litellm_request`: who asked, what LiteLLM decided, what the model said.

    `paid` is what an answer cost that the caller never got; LiteLLM reports it without tokens.
    """
    attributes = _metadata(call, trace_id, answer)
    attributes["hidden_params"] = _hidden_params(call, answer)
    attributes |= {
        "http.route": call.route,
        "litellm.model_group": call.model.alias,
        "litellm.provider.model": f"{call.model.provider}/{call.model.name}",
    }
    if answer:
        attributes |= _cost(answer.cost)
    if paid:
        attributes |= _cost(paid)
    # Before the router has chosen a deployment LiteLLM only knows the alias.
    refused = failure is not None and not failure.provider
    attributes["gen_ai.request.model"] = call.model.alias if refused else call.model.name
    attributes["llm.request.type"] = call.operation
    if call.operation != "aembedding":
        attributes["gen_ai.system"] = call.model.provider
    attributes |= {"llm.is_streaming": str(call.streaming), "llm.user": call.caller.user}
    attributes |= {
        "gen_ai.response.id": answer.response_id if answer else call.call_id,
        "litellm.call_id": call.call_id,
    }
    for index, tool in enumerate(call.tools):
        prefix = f"llm.request.functions.{index}"
        attributes[f"{prefix}.name"] = tool.name
        attributes[f"{prefix}.description"] = tool.description
        attributes[f"{prefix}.parameters"] = tool.parameters
    attributes["gen_ai.input.messages"] = json.dumps([_parts(message) for message in call.messages])
    attributes["gen_ai.operation.name"] = call.operation
    if answer:
        attributes |= _answer(call, answer)
    if failure:
        attributes |= failure.attributes()
    return attributes


def without_owner(attributes: Attributes) -> Attributes:
    """The same for a key that is not valid: LiteLLM knows its hash and the address, but not whose it is."""
    known = {f"metadata.user_api_key_{name}" for name in ("hash", "spend", "request_route", "auth_metadata")}
    unset = {"metadata.requester_metadata", "metadata.used_client_oauth_token"}
    unset |= {key for key in attributes if key.startswith("metadata.user_api_key_")} - known
    return {key: "" if key in unset else value for key, value in attributes.items()}


def raw_attributes(call: Call, answer: Answer, created: int) -> Attributes:
    """`raw_gen_ai_request`: request and response as they went over the wire; nothing for answers from the cache."""
    if answer.cache_key:
        return call.caller.team_attributes
    prefix = f"llm.{call.model.provider}"
    if call.operation == "aembedding":
        inputs = [message["content"] for message in call.messages]
        body = {"input": repr(inputs), "model": call.model.name, "object": "list", "usage": repr(_usage(answer.usage))}
        return call.caller.team_attributes | {f"llm.None.{key}": value for key, value in body.items()}
    choices = [{"finish_reason": answer.finish_reason, "index": 0, "logprobs": None, "message": _message(answer)}]
    return call.caller.team_attributes | {
        f"{prefix}.messages": repr([dict(message) for message in call.messages]),
        f"{prefix}.user": call.caller.user,
        f"{prefix}.extra_body": "{}",
        f"{prefix}.id": answer.response_id,
        f"{prefix}.choices": repr(choices),
        f"{prefix}.created": created,
        f"{prefix}.model": call.model.name,
        f"{prefix}.object": "chat.completion",
        f"{prefix}.usage": repr(_usage(answer.usage)),
    }


def completion_json(call: Call, answer: Answer, created: int) -> str:
    """The whole response, which a guardrail that looks at answers records as its own."""
    choices = [{"finish_reason": answer.finish_reason, "index": 0, "message": _message(answer)}]
    document = {"id": answer.response_id, "created": created, "model": call.model.name, "object": "chat.completion"}
    return json.dumps(document | {"choices": choices, "usage": _usage(answer.usage)})


def _metadata(call: Call, trace_id: str, answer: Answer | None) -> dict[str, Value]:
    caller = call.caller
    requester = {
        "session_id": caller.session,
        "tags": [caller.application, caller.team],
        "trace_id": trace_id,
        "headers": {"host": "litellm.internal:4000", "user-agent": "openai-python/2.54.0"},
        "used_client_oauth_token": False,
    }
    return {
        "metadata.user_api_key_hash": caller.key_hash,
        "metadata.user_api_key_alias": f"{caller.application}-prod",
        "metadata.user_api_key_spend": 0.0,
        "metadata.user_api_key_max_budget": "",
        "metadata.user_api_key_budget_reset_at": "",
        "metadata.user_api_key_user_spend": "",
        "metadata.user_api_key_user_max_budget": "",
        "metadata.user_api_key_team_spend": 10.0,
        "metadata.user_api_key_team_max_budget": 500.0,
        **caller.team_attributes,
        "metadata.user_api_key_org_id": "",
        "metadata.user_api_key_org_alias": "",
        "metadata.user_api_key_project_id": "",
        "metadata.user_api_key_project_alias": "",
        "metadata.user_api_key_user_id": "default_user_id",
        "metadata.user_api_key_user_email": "",
        "metadata.user_api_key_end_user_id": caller.user,
        "metadata.user_api_key_request_route": call.route,
        "metadata.spend_logs_metadata": "",
        "metadata.requester_ip_address": "10.20.4.17",
        "metadata.user_agent": "openai-python/2.54.0",
        "metadata.requester_metadata": repr(requester),
        "metadata.prompt_management_metadata": "",
        "metadata.applied_guardrails": repr(GUARDRAILS),
        "metadata.mcp_tool_call_metadata": "",
        "metadata.vector_store_request_metadata": "",
        "metadata.routing_decision": "",
        "metadata.usage_object": repr(_usage(answer.usage) if answer else {}),
        "metadata.requester_custom_headers": "{}",
        "metadata.cold_storage_object_key": "",
        "metadata.user_api_key_auth_metadata": "{}",
        "metadata.team_alias": "",
        "metadata.team_id": "",
        "metadata.used_client_oauth_token": False,
    }


def _hidden_params(call: Call, answer: Answer | None) -> str:
    if answer is None:
        return json.dumps({"model_id": None, "cache_key": None, "api_base": None, "response_cost": 0.0})
    deployment = hashlib.sha256(call.model.alias.encode()).hexdigest()
    attempts = {"x-litellm-attempted-retries": 0, "x-litellm-attempted-fallbacks": answer.fallbacks}
    return json.dumps(
        {
            "model_id": deployment,
            "cache_key": answer.cache_key,
            "api_base": call.model.api_base,
            "response_cost": float(answer.cost.total),
            "additional_headers": {"x-litellm-model-group": call.model.alias} | attempts,
            "litellm_overhead_time_ms": 3.4,
            # An answer from the cache has no deployment, hence no provider in front of the name.
            "litellm_model_name": call.model.name if answer.cache_key else f"{call.model.provider}/{call.model.name}",
            "usage_object": None,
        }
    )


def _cost(cost: Cost) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "gen_ai.cost.input_cost": float(cost.input),
        "gen_ai.cost.output_cost": float(cost.output),
        "gen_ai.cost.total_cost": float(cost.total),
        "gen_ai.cost.tool_usage_cost": 0.0,
        "gen_ai.cost.original_cost": float(cost.total),
        "gen_ai.cost.discount_percent": 0.0,
        "gen_ai.cost.discount_amount": 0.0,
        "gen_ai.cost.margin_percent": 0.0,
        "gen_ai.cost.margin_fixed_amount": 0.0,
        "gen_ai.cost.margin_total_amount": 0.0,
    }
    return attributes | ({"gen_ai.cost.cache_read_cost": float(cost.cached)} if cost.cached else {})


def _answer(call: Call, answer: Answer) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "gen_ai.response.model": call.model.alias,
        "gen_ai.usage.total_tokens": answer.usage.total,
        "gen_ai.usage.output_tokens": answer.usage.output,
        "gen_ai.usage.input_tokens": answer.usage.input,
    }
    if call.operation == "aembedding":
        return attributes
    parts = [] if answer.tool else [{"type": "text", "content": answer.text}]
    output = [{"role": "assistant", "parts": parts, "finish_reason": answer.finish_reason}]
    attributes["gen_ai.output.messages"] = json.dumps(output)
    attributes["gen_ai.response.finish_reasons"] = json.dumps([answer.finish_reason])
    if answer.tool:
        attributes["gen_ai.completion.0.function_call.arguments"] = answer.tool.arguments
        attributes["gen_ai.completion.0.function_call.name"] = answer.tool.tool.name
    return attributes


def _parts(message: Message) -> dict[str, Any]:
    content = message.get("content")
    parts = [{"type": "text", "content": content}] if content else []
    others = {key: value for key, value in message.items() if key not in {"role", "content"}}
    return {"role": message["role"], "parts": parts, **others}


def _message(answer: Answer) -> dict[str, Any]:
    if not answer.tool:
        return {"content": answer.text, "role": "assistant", "tool_calls": None, "function_call": None}
    function = {"arguments": answer.tool.arguments, "name": answer.tool.tool.name}
    calls = [{"id": answer.tool_call_id, "function": function, "type": "function"}]
    return {"content": None, "role": "assistant", "tool_calls": calls, "function_call": None}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "completion_tokens": usage.output,
        "prompt_tokens": usage.input,
        "total_tokens": usage.total,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }
