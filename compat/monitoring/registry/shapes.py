"""What the registry takes and answers."""

from typing import Any

from rest_framework import serializers

from agentops_portal.api.serializers import UtcDateTimeField
from compat.contract import ContractParameters
from traces.ingest.agents import AgentStatus, AgentType
from traces.models import Agent

DEFAULT_PROJECT = "default-project"  # what clients say that know of no projects


class StoredJSONField(serializers.JSONField):
    """An object that PostgreSQL can keep: it has no place for the character U+0000."""

    default_error_messages = {
        "no_object": "Input should be a valid dictionary",
        "nul": "Input should not contain the character U+0000.",
    }

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("no_object")
        if _has_nul(data):
            self.fail("nul")
        return data


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(each) for key, each in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


class NewAgent(ContractParameters):
    name = serializers.CharField(max_length=200)
    type = serializers.ChoiceField(AgentType.values)
    project_id = serializers.CharField(
        default=DEFAULT_PROJECT, help_text=f"Without it, or as `{DEFAULT_PROJECT}`: the project of the key."
    )
    external_id = serializers.CharField(max_length=200, required=False, allow_null=True, allow_blank=True)
    description = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=10_000)
    config = StoredJSONField(required=False, allow_null=True)


class AgentChanges(ContractParameters):
    """What is left out stays."""

    name = serializers.CharField(max_length=200, required=False)
    type = serializers.ChoiceField(AgentType.values, required=False)
    external_id = serializers.CharField(max_length=200, required=False, allow_null=True, allow_blank=True)
    description = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=10_000)
    config = StoredJSONField(required=False, allow_null=True)
    monitoring_enabled = serializers.BooleanField(required=False)
    status = serializers.ChoiceField(AgentStatus.values, required=False)


class AgentListParameters(ContractParameters):
    project_id = serializers.CharField(required=False, allow_blank=True, default="")
    type = serializers.ChoiceField(AgentType.values, required=False)
    status = serializers.ChoiceField(AgentStatus.values, required=False)
    limit = serializers.IntegerField(default=100, min_value=1, max_value=500)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=1_000_000_000)


class SummaryParameters(ContractParameters):
    project_id = serializers.CharField(required=False, allow_blank=True, default="")


class RunStart(ContractParameters):
    inputs = serializers.JSONField(required=False, allow_null=True, help_text="Any JSON, kept whole.")
    tags = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=100, required=False, allow_null=True
    )


class RunEnd(ContractParameters):
    trace_id = serializers.CharField(max_length=100)
    outputs = serializers.JSONField(required=False, allow_null=True, help_text="Any JSON, kept whole.")
    error = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=100_000)
    cost = serializers.FloatField(default=0, min_value=0, max_value=1_000_000, help_text="US dollars.")
    tokens = serializers.IntegerField(default=0, min_value=0, max_value=2**53)


class RegisteredAgentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.ChoiceField(AgentType.values)
    project_id = serializers.UUIDField()
    external_id = serializers.SerializerMethodField()
    description = serializers.SerializerMethodField()
    config = serializers.DictField()
    monitoring_enabled = serializers.BooleanField()
    status = serializers.ChoiceField(AgentStatus.values)
    created_at = UtcDateTimeField()
    last_used_at = UtcDateTimeField(allow_null=True)

    def get_external_id(self, agent: Agent) -> str | None:
        return agent.external_id or None

    def get_description(self, agent: Agent) -> str | None:
        return agent.description or None


class RegisteredAgentListSerializer(serializers.Serializer[Any]):
    agents = RegisteredAgentSerializer(many=True)
    total = serializers.IntegerField(help_text="On all pages.")


class AgentRunStartedSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField(help_text="Send it as metadata.parent_trace_id with LLM calls, or as their trace.")
    agent_id = serializers.UUIDField()
    agent_name = serializers.CharField()


class AgentRunEndedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    trace_id = serializers.CharField()
    duration_ms = serializers.FloatField(allow_null=True)


class RegistrySummarySerializer(serializers.Serializer[Any]):
    total_agents = serializers.IntegerField()
    active_agents = serializers.IntegerField()
    inactive_agents = serializers.IntegerField()
    monitored_agents = serializers.IntegerField()
    by_type = serializers.DictField(child=serializers.IntegerField(), help_text="Types that have agents.")
    running_traces = serializers.IntegerField(help_text="Started and not ended, in the last 30 days.")
    ended_traces = serializers.IntegerField(help_text="In the last 30 days.")
    failed_traces = serializers.IntegerField(help_text="Ended with an error.")
    total_cost = serializers.FloatField(help_text="US dollars, as the ends of traces reported.")
    total_tokens = serializers.IntegerField(help_text="As the ends of traces reported.")
