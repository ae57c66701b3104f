"""What /openapi.json says of the API as a whole: https://drf-spectacular.readthedocs.io/en/latest/settings.html"""

from typing import Any

from agentops_portal.version import VERSION

from .core import PORTAL_URL

_DESCRIPTION = """
Everything the portal knows, for machines. `/api/v1` is the portal's own API; the other groups answer what clients of
AgentOps ask today, at the same addresses and in the same shapes.

**Sign in** with an API key of the project as `Authorization: Bearer <key>`, `x-api-key` or `X-Agentops-Api-Key`; with a
project token (`POST /v3/auth/token`) as a bearer; or with the session of the portal's pages. A key needs the scope
`read` to read. No or a wrong credential is 401, a role or scope too low 403, and what belongs to others looks like what
does not exist: 404.

**Times** are ISO 8601 with an offset, answered in UTC; durations are nanoseconds where the name ends in `_ns`.
**Money** is US dollars, in `/api/v1` as text, so that no digit is lost: `cost.reported` is what clients reported,
`unknown_calls` counts the LLM calls whose cost nobody knows, `saved` is what answers from a cache would have cost.

**Lists** of `/api/v1` are pages `{"results": […], "next": address or null}`.
"""

TAGS = {
    "Projects": "The projects you see, and what they are called.",
    "API keys": "The keys by which machines reach a project. A secret is shown once, when its key is made or rotated.",
    "Traces": "What agents did: traces by the same filters as the portal's pages, with their spans when asked for.",
    "Export": "Traces as CSV, JSON or JSON Lines, streamed.",
    "People and agents": "Sessions, users and agents, with what they did, used and cost.",
    "Usage": "Calls, tokens, cost and latency: in total, by model, provider, service or agent, and over time.",
    "Guardrails": "What guardrails looked at and what came of it; every run counts once.",
    "Policies": "Which figures are watched, how far they may go, and who is told.",
    "Incidents": "What went beyond the limit of a policy, and what was done about it.",
    "Reports": "Guardrail reports that come again and again: when, to whom, and what stood in them.",
    "Data": "How long data is kept, and what was removed.",
    "Ingest": "What each key sent in each hour, what was refused and why.",
    "Authentication": "From an API key to a project token, and the sign-in of people.",
    "AgentOps v4": "The API of AgentOps' dashboard; /v4/metrics is /v4/meterics without the misspelling.",
    "AgentOps public": "The API of the agentops SDK's validation module and of AgentOps' MCP server.",
    "AgentOps opsboard": "Users, organizations, invitations, projects and keys, as AgentOps' dashboard manages them.",
    "Monitoring": "The API of the agent portal's monitoring page; below /api/agentops as well. Live updates come over "
    "a WebSocket, /api/monitoring/ws/{project_id}.",
    "Agent registry": "Agents that register themselves, and their runs; below /api/agents as well.",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "AgentOps Portal API",
    "DESCRIPTION": _DESCRIPTION.strip(),
    "VERSION": VERSION,
    "LICENSE": {"name": "MIT"},
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": PORTAL_URL}],
    "TAGS": [{"name": name, "description": text} for name, text in TAGS.items()],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # What is sent and what is answered differ: a key's secret is only answered, defaults are only optional when sent.
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AgentStatusEnum": ["active", "inactive"],
        "AgentTypeEnum": ["text2sql", "langflow", "flowise", "autogen", "dart", "slides", "custom"],
        "TraceStatusEnum": ["ok", "error"],
        "SpanStatusEnum": ["Unset", "Ok", "Error"],
        "GuardrailOutcomeEnum": "traces.store.dialects.base.GUARDRAIL_OUTCOMES",
        "KeyStatusEnum": "projects.models.KeyStatus",
        "KeyScopeEnum": "projects.models.KeyScope",
        "RoleEnum": ["owner", "admin", "developer", "business_user"],
        "PlanEnum": ["free", "pro", "enterprise"],
        "MonitoringStatusEnum": ["success", "error"],
        "EnvironmentEnum": "projects.models.Environment",
        "SameCallsDecisionEnum": "traces.store.calls.records.Decision",
        "KindEnum": "traces.lifecycle.erasure.records.ErasureKind",
        "PolicyWindowEnum": "guardrails.policies.kinds.Window",
        "PolicyKindEnum": "guardrails.policies.kinds.Kind",
        "IncidentEventEnum": "guardrails.incidents.models.EventKind",
        "IncidentStateEnum": "guardrails.incidents.models.IncidentState",
        "GuardrailActionEnum": "guardrails.enforcement.models.Action",
        "GuardrailPhaseEnum": "guardrails.enforcement.models.Phase",
        "CheckPhaseEnum": ["input", "output"],
        "RunPhaseEnum": "guardrails.reviews.api.fields.PHASES",
        "VerdictEnum": "guardrails.reviews.models.Verdict",
        "LimitWindowEnum": "guardrails.enforcement.models.Window",
        "SeverityEnum": "guardrails.incidents.models.Severity",
    },
    "PREPROCESSING_HOOKS": ["agentops_portal.api.openapi.hooks.without_aliases"],
    "SORT_OPERATION_PARAMETERS": False,
    # The test of the whole schema says more than the check of `manage.py check --deploy`.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}
