"""POST /api/v1/projects/{id}/guardrails/check: for whoever calls models without a proxy that asks by itself."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import re2
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.parameters import Parameters
from agentops_portal.api.unavailable import StoreUnavailable
from projects.access import visible_project_id
from projects.api.actor import actor_of
from projects.credentials import Credential

from ..deciding import Check, Verdict, decide
from ..in_force import RulesUnknown
from ..limits import State
from ..models import TRACE_ID, Action, Phase
from .fields import Objects, Texts, are_objects, are_texts, is_name
from .machines import GuardrailParser, GuardrailThrottle, MayBeGuarded, checked_size, credential_of

ADDRESS: Final = "/api/v1/projects/[0-9a-f-]{36}/guardrails/check"
NAME: Any = {"required": False, "allow_blank": True, "max_length": 200}


class CheckParameters(Parameters):
    phase = serializers.ChoiceField([Phase.INPUT.value, Phase.OUTPUT.value], help_text="input: before the call.")
    texts = Texts(required=False)
    messages = Objects(required=False, help_text="As OpenAI writes them.")
    tool_calls = Objects(required=False, help_text="Of an answer, as OpenAI writes them.")
    model = serializers.CharField(**NAME)
    user = serializers.CharField(**NAME)
    key = serializers.CharField(**NAME, help_text="Whose budget it is: the name of the key, team or application.")
    trace_id = serializers.RegexField("^[0-9a-f]{32}$", required=False)
    span_id = serializers.RegexField("^[0-9a-f]{16}$", required=False, help_text="Within which the call is made.")
    call_id = serializers.CharField(required=False, max_length=100)


# What these are true for, CheckParameters takes as it is.
PLAIN: Final[dict[str, Callable[[Any], bool]]] = {
    "phase": lambda sent: sent in (Phase.INPUT.value, Phase.OUTPUT.value),
    "texts": are_texts,
    "messages": are_objects,
    "tool_calls": are_objects,
    "model": lambda sent: is_name(sent, 200),
    "user": lambda sent: is_name(sent, 200),
    "key": lambda sent: is_name(sent, 200),
    "trace_id": lambda sent: type(sent) is str and re2.fullmatch(TRACE_ID, sent) is not None,
    "span_id": lambda sent: type(sent) is str and re2.fullmatch("[0-9a-f]{16}", sent) is not None,
    "call_id": lambda sent: sent != "" and is_name(sent, 100),
}


class FoundSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    action = serializers.ChoiceField(Action.choices)
    shadow = serializers.BooleanField(help_text="It only watched.")
    found = serializers.DictField(child=serializers.IntegerField(), help_text="Kind → how often.")


class LimitStateSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    measure = serializers.CharField()
    of = serializers.CharField(help_text="Whose; empty for all together.")
    used = serializers.DecimalField(24, 9, allow_null=True, help_text="Null: cannot be counted now.")
    reserved = serializers.DecimalField(24, 9, help_text="For calls in flight.")
    limit = serializers.DecimalField(18, 6)
    resets_at = serializers.DateTimeField()
    refused = serializers.BooleanField()
    shadow = serializers.BooleanField()


class VerdictSerializer(serializers.Serializer[Any]):
    decision_id = serializers.UUIDField()
    action = serializers.ChoiceField(Action.choices)
    would_have = serializers.CharField(allow_blank=True, help_text="What rules and limits that only watch would do.")
    reason = serializers.CharField(allow_blank=True)
    texts = serializers.ListField(child=serializers.CharField(), help_text="As they may pass, in the same order.")
    messages = serializers.ListField(child=serializers.DictField())
    tool_calls = serializers.ListField(child=serializers.DictField())
    rules = FoundSerializer(many=True)
    limits = LimitStateSerializer(many=True)


@method_decorator(never_cache, name="dispatch")
class CheckView(APIView):
    parser_classes = (GuardrailParser,)
    permission_classes = (MayBeGuarded,)
    throttle_classes = (GuardrailThrottle,)

    @extend_schema(
        operation_id="guardrails_check",
        summary="Whether a prompt or an answer may pass, and as what",
        description="For a key or token with the scope ingest. A block withholds the texts.",
        tags=["Guardrails"],
        request=CheckParameters,
        responses=VerdictSerializer,
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        visible_project_id(actor_of(request), str(project_id))
        checked_size(request)
        check = _check(credential_of(request), CheckParameters.of_body(request))
        try:
            return Response(_answer(decide(check)))
        except RulesUnknown:
            raise StoreUnavailable("The rules are not known now: PostgreSQL does not answer. Try again.") from None


class CheckForm:
    """The short way (door.py)."""

    view = "api-guardrail-check"

    def is_at(self, path: str) -> bool:
        return path.endswith("/guardrails/check") and re2.fullmatch(ADDRESS, path) is not None

    def check(self, credential: Credential, path: str, sent: Any) -> Check | None:
        is_own = path.split("/")[-3] == str(credential.project_id)
        return _check(credential, sent) if is_own and _is_plain(sent) else None

    def answer(self, verdict: Verdict) -> dict[str, Any]:
        return _answer(verdict)


def _is_plain(sent: Any) -> bool:
    """Whether CheckParameters takes it as it is."""
    if not isinstance(sent, dict) or "phase" not in sent:
        return False
    return all(name in PLAIN and PLAIN[name](value) for name, value in sent.items())


def _check(credential: Credential, sent: dict[str, Any]) -> Check:
    named = {name: value for name, value in sent.items() if name != "span_id"}
    return Check(credential=credential, source="api", parent_id=sent.get("span_id", ""), **named)


def _answer(verdict: Verdict) -> dict[str, Any]:
    passes = verdict.action != Action.BLOCK
    return {
        "decision_id": verdict.id,
        "action": verdict.action,
        "would_have": verdict.shadow_action,
        "reason": verdict.reason,
        "texts": verdict.texts if passes else [],
        "messages": verdict.messages if passes else [],
        "tool_calls": verdict.tool_calls if passes else [],
        "rules": verdict.findings.told(),
        "limits": [_limit(state) for state in verdict.limits],
    }


def _limit(state: State) -> dict[str, Any]:
    return {
        "name": state.limit.name,
        "measure": state.limit.measure,
        "of": state.value,
        "used": None if state.used is None else f"{state.used:f}",
        "reserved": f"{state.reserved:f}",
        "limit": f"{state.limit.amount:f}",
        "resets_at": state.resets_at,
        "refused": state.refused,
        "shadow": state.limit.shadow,
    }
