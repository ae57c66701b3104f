"""Guardrails that the LiteLLM proxy of the tests loads: one looks at prompts, one at answers, one breaks down."""

from typing import Any

from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail, log_guardrail_information


def _prompt(data: dict[str, Any]) -> str:
    return " ".join(str(message.get("content")) for message in data.get("messages") or [])


class PromptInjection(CustomGuardrail):
    """Before the call: refuses a prompt that asks to ignore the instructions."""

    @log_guardrail_information
    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> Any:
        if "ignore previous instructions" in _prompt(data).lower():
            raise HTTPException(400, detail={"error": "Violated guardrail policy", "guardrail": "prompt-injection"})
        return data


class OutputFilter(CustomGuardrail):
    """After the call: refuses the answer of the model group `bad-out`."""

    @log_guardrail_information
    async def async_post_call_success_hook(self, data: dict[str, Any], user_api_key_dict: Any, response: Any) -> Any:
        if data.get("model") == "bad-out":
            raise HTTPException(400, detail={"error": "Output blocked", "guardrail": "output-filter"})
        return response


class BrokenCheck(CustomGuardrail):
    """Before the call: the service behind it does not answer."""

    @log_guardrail_information
    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> Any:
        if "make the check fail" in _prompt(data).lower():
            raise RuntimeError("toxicity service did not answer within 2 s")
        return data
