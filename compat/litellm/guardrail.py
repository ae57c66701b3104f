"""POST /beta/litellm_basic_guardrail_api: LiteLLM's generic guardrail API.

https://docs.litellm.ai/docs/adding_provider/generic_guardrail_api
"""

from collections.abc import Callable
from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compat.contract import ContractError, ContractParameters, ContractView
from compat.contract_schema import errors
from guardrails.enforcement.api.fields import Objects, Texts, are_objects, are_texts, is_name
from guardrails.enforcement.api.machines import (
    GuardrailParser,
    GuardrailThrottle,
    MayBeGuarded,
    checked_size,
    credential_of,
)
from guardrails.enforcement.deciding import BLOCKED, Check, Verdict, decide
from guardrails.enforcement.in_force import RulesUnknown
from guardrails.enforcement.json_texts import message_texts
from guardrails.enforcement.models import Action, Phase
from projects.credentials import Credential

ADDRESS: Final = "/beta/litellm_basic_guardrail_api"
ELSEWHERE: Final = "elsewhere"
UNMASKABLE: Final = "A tool call holds what a rule masks, and the proxy cannot be given a tool call with masks."

LONGEST_NAME: Final = 1_000
# What these are true for, GuardrailRequest takes as it is.
PLAIN: Final[dict[str, Callable[[Any], bool]]] = {
    "texts": are_texts,
    "structured_messages": are_objects,
    "tool_calls": are_objects,
    "model": lambda sent: is_name(sent, LONGEST_NAME),
    "litellm_call_id": lambda sent: is_name(sent, LONGEST_NAME),
    "litellm_trace_id": lambda sent: is_name(sent, LONGEST_NAME),
    "request_data": lambda sent: type(sent) is dict,
    "additional_provider_specific_params": lambda sent: type(sent) is dict,
}


class GuardrailRequest(ContractParameters):
    input_type = serializers.ChoiceField(["request", "response"])
    texts = Texts(required=False, allow_null=True)
    structured_messages = Objects(required=False, allow_null=True)
    tool_calls = Objects(required=False, allow_null=True)
    model = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_NAME)
    litellm_call_id = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_NAME)
    litellm_trace_id = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_NAME)
    request_data = serializers.DictField(required=False, allow_null=True)
    additional_provider_specific_params = serializers.DictField(required=False, allow_null=True)


class GuardrailAnswer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(["NONE", "BLOCKED", "GUARDRAIL_INTERVENED"])
    blocked_reason = serializers.CharField(required=False)
    texts = serializers.ListField(child=serializers.CharField(), required=False)
    structured_messages = serializers.ListField(child=serializers.DictField(), required=False)


class GuardrailView(ContractView):
    parser_classes: Any = (GuardrailParser,)
    permission_classes = (MayBeGuarded,)
    throttle_classes = (GuardrailThrottle,)

    @extend_schema(
        operation_id="litellm_guardrail",
        summary="LiteLLM's generic guardrail API",
        description="What a prompt or an answer is to become. For a key or token with the scope ingest.",
        tags=["Guardrails"],
        request=GuardrailRequest,
        responses={200: GuardrailAnswer, **errors(413, 503)},
    )
    def post(self, request: Request) -> Response:
        checked_size(request)
        check = _check(credential_of(request), GuardrailRequest.of_body(request))
        try:
            return Response(_answer(decide(check)))
        except RulesUnknown:
            raise ContractError(503, "The rules are not known now: PostgreSQL does not answer.", wait=5) from None


class GuardrailForm:
    """The short way (guardrails/enforcement/door.py)."""

    view = "litellm-guardrail"

    def is_at(self, path: str) -> bool:
        return path == ADDRESS

    def check(self, credential: Credential, path: str, sent: Any) -> Check | None:
        return _check(credential, sent) if _is_plain(sent) else None

    def answer(self, verdict: Verdict) -> dict[str, Any]:
        return _answer(verdict)


def _is_plain(sent: Any) -> bool:
    """Whether GuardrailRequest takes it as it is."""
    if not isinstance(sent, dict) or sent.get("input_type") not in ("request", "response"):
        return False
    found = ((sent.get(name), is_plain) for name, is_plain in PLAIN.items())
    return all(value is None or is_plain(value) for value, is_plain in found)


def _check(credential: Credential, sent: dict[str, Any]) -> Check:
    who = sent.get("request_data") or {}
    extra = sent.get("additional_provider_specific_params") or {}
    return Check(
        credential=credential,
        phase=Phase.INPUT if sent["input_type"] == "request" else Phase.OUTPUT,
        source="litellm",
        texts=sent.get("texts") or [],
        messages=sent.get("structured_messages") or [],
        tool_calls=sent.get("tool_calls") or [],
        model=sent.get("model") or "",
        user=_first(who, "user_api_key_end_user_id", "user_api_key_user_id"),
        key=_first(who, "user_api_key_alias", "user_api_key_hash"),
        trace_id=sent.get("litellm_trace_id") or "",
        call_id=sent.get("litellm_call_id") or "",
        # LiteLLM sends a span of every run of a guardrail, unless its traces go to somebody else.
        is_traced=extra.get("traces") != ELSEWHERE,
    )


def _first(who: dict[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := who.get(name), str) and value), "")


def _answer(verdict: Verdict) -> dict[str, Any]:
    """A mask that LiteLLM has no way to carry out is a block: nothing that a rule masks passes."""
    check = verdict.check
    if verdict.action == Action.BLOCK:
        return {"action": "BLOCKED", "blocked_reason": verdict.reason or BLOCKED}
    if verdict.action != Action.MASK:
        return {"action": "NONE"}
    if check.phase == Phase.OUTPUT and verdict.tool_calls != check.tool_calls:
        return {"action": "BLOCKED", "blocked_reason": UNMASKABLE}
    answer: dict[str, Any] = {"action": "GUARDRAIL_INTERVENED", "texts": verdict.texts}
    if check.phase == Phase.INPUT and _masks_more_than_texts(verdict):
        answer["structured_messages"] = verdict.messages
    return answer


def _masks_more_than_texts(verdict: Verdict) -> bool:
    """LiteLLM puts `texts` back where it took them from: contents of messages, and no arguments of calls."""
    check, look = verdict.check, verdict.findings.look
    texts = set(check.texts)
    return any(look(text) != text for text in message_texts(check.messages) if text not in texts)
