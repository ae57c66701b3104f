"""Agents that register themselves, and their runs, each of which becomes a span when it ends."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models import Project
from projects.querysets import ProjectRowsQuerySet

RUN_DAYS = 30  # a run that began longer ago is forgotten


class AgentType(models.TextChoices):
    """What agent-portal knows; `autogen` stands in its documents, `dart` and `slides` in its code."""

    TEXT2SQL = "text2sql", "Text-to-SQL"
    LANGFLOW = "langflow", "Langflow"
    FLOWISE = "flowise", "Flowise"
    AUTOGEN = "autogen", "AutoGen"
    DART = "dart", "DART"
    SLIDES = "slides", _("Slides")
    CUSTOM = "custom", _("Custom")


class AgentStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")


class AgentQuerySet(ProjectRowsQuerySet["Agent"]):
    def with_id(self, text: str) -> "Agent | None":
        """The agent with this id, if it is among these; None also for a text that is no id."""
        try:
            return self.filter(pk=uuid.UUID(text)).select_related("project__organization").first()
        except ValueError:
            return None


class Agent(models.Model):
    """An agent as it, or somebody for it, has registered it with a project."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="agents", verbose_name=_("project"))
    name = models.CharField(_("name"), max_length=200)
    type = models.CharField(_("type"), max_length=16, choices=AgentType)
    external_id = models.CharField(
        _("external id"), max_length=200, blank=True, help_text=_("What the agent is called where it runs.")
    )
    description = models.TextField(_("description"), blank=True)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    monitoring_enabled = models.BooleanField(_("monitored"), default=True, help_text=_("Its runs are written down."))
    status = models.CharField(_("status"), max_length=16, choices=AgentStatus, default=AgentStatus.ACTIVE)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="agent_name_once_per_project"),
            models.CheckConstraint(condition=Q(type__in=AgentType.values), name="agent_type_is_known"),
            models.CheckConstraint(condition=Q(status__in=AgentStatus.values), name="agent_status_is_known"),
        ]

    def __str__(self) -> str:
        return self.name


def registered_agent(project: Project, name: str, given: dict[str, Any]) -> tuple[Agent, bool]:
    """The agent of that name, and whether it is new: then it is what is `given`."""
    return Agent.objects.get_or_create(project=project, name=name, defaults=given)


def activate(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(status=AgentStatus.ACTIVE, updated_at=timezone.now())
    agent.refresh_from_db()


class AgentRunQuerySet(models.QuerySet["AgentRun"]):
    def of_agents(self, agents: AgentQuerySet) -> Self:
        """Runs of agents that were found for whoever asks."""
        return self.filter(agent__in=agents)


class AgentRun(models.Model):
    """A run between its start and its end, which may come to another process, or after a restart.

    Inputs and tags are kept until the span is stored. Times are nanoseconds since 1970.
    """

    id = models.BigAutoField(primary_key=True)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="runs", verbose_name=_("agent"))
    trace_id = models.CharField(_("trace"), max_length=32, unique=True, editable=False)
    span_id = models.CharField(_("span"), max_length=16, editable=False)
    # Text, because PostgreSQL's JSON refuses characters that JSON allows.
    inputs = models.TextField(_("inputs"), blank=True, help_text=_("JSON; empty once the span is stored."))
    tags = models.JSONField(_("tags"), default=list)
    start_ns = models.BigIntegerField(_("start"))
    end_ns = models.BigIntegerField(_("end"), null=True, help_text=_("Set by the first attempt to end the run."))
    started_at = models.DateTimeField(_("started"), default=timezone.now, db_index=True)
    stored_at = models.DateTimeField(_("stored"), null=True)
    failed = models.BooleanField(_("failed"), default=False)
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=10, default=0)
    tokens = models.BigIntegerField(_("tokens"), default=0)

    objects = AgentRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("agent run")
        verbose_name_plural = _("agent runs")
        ordering = ["-start_ns"]
        indexes = [models.Index(fields=["agent", "-start_ns"], name="agent_run_agent")]

    def __str__(self) -> str:
        return f"{self.agent} {self.trace_id}"
