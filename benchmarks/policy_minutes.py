"""Run in a process with the portal's settings: fills its stores, and evaluates policies minute by minute."""

import json
import time
from datetime import datetime, timedelta
from typing import Any

import django

PROJECTS, ORGANIZATIONS = 100, 10
TRACES = 1_000  # of each project in the last day, of four spans
MINUTES = 6
MOST_SECONDS = 5.0
POLICIES: list[dict[str, Any]] = [
    {"kind": "error_rate", "window": "15m", "threshold": "0.02", "min_volume": 5},
    {"kind": "request_rate", "window": "5m", "threshold": 1},
    {"kind": "token_rate", "window": "1h", "threshold": 1},
    {"kind": "block_rate", "window": "6h", "threshold": "0.05"},
    {"kind": "coverage", "window": "24h", "threshold": "0.95"},
    {"kind": "no_data", "window": "5m", "threshold": 1},
    {"kind": "guardrail_failures", "window": "1h", "threshold": "0.05"},
    {"kind": "guardrail_silent", "window": "6h", "threshold": 1},
    {"kind": "cost_budget", "window": "month", "threshold": 10, "warn_at": 1},
    {"kind": "cost_budget", "window": "day", "threshold": 1, "dimension": "model"},
]
# Of trace n: a request, a call of a model, a tool, and for nine of ten a guardrail; each fiftieth fails.
_SPANS = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName,
    ResourceAttributes, SpanAttributes, Duration, StatusCode)
WITH intDiv(number, 4) AS n, number % 4 AS place,
    lower(hex(sipHash128({project:String}, n))) AS trace
SELECT {start:DateTime64(9)} + toIntervalMillisecond(intDiv(n * 86400000, {traces:UInt64}) + place * 10), trace,
    lower(hex(cityHash64(trace, place))), if(place = 0, '', lower(hex(cityHash64(trace, 0)))),
    ['request', 'chat', 'search', 'guard'][place + 1], 'Internal', 'bench',
    map('agentops.project.id', {project:String}),
    multiIf(
        place = 1, map('gen_ai.operation.name', 'chat', 'gen_ai.request.model', ['gpt-4o', 'claude-3'][1 + n % 2],
            'gen_ai.usage.input_tokens', '100', 'gen_ai.usage.output_tokens', '20', 'gen_ai.usage.cost', '0.01',
            'user.id', concat('user-', toString(n % 20))),
        place = 2, map('agentops.span.kind', 'tool', 'tool.name', 'search'),
        place = 3 AND n % 10 > 0, map('guardrail_name', ['pii', 'toxic'][1 + n % 2], 'guardrail_mode', 'pre_call',
            'guardrail_status', if(n % 15 = 0, 'guardrail_intervened', 'success')),
        map('user.id', concat('user-', toString(n % 20)))
    ),
    5000000, if(place = 0 AND n % 50 = 0, 'Error', 'Ok')
FROM numbers({spans:UInt64})
"""


def main() -> None:
    from guardrails.database_clock import database_now
    from guardrails.incidents.models import Incident
    from guardrails.policies.evaluation import evaluate_due
    from guardrails.policies.models import Policy, PolicyClock

    now = database_now()
    projects = _make(now)
    seconds: list[float] = []
    questions: list[int] = []
    for _number in range(MINUTES):
        moment = database_now().replace(second=0, microsecond=0)
        PolicyClock.objects.update_or_create(pk=1, defaults={"evaluated_until": moment - timedelta(minutes=1)})
        before, started = _asked(), time.perf_counter()
        assert evaluate_due(moment) == 1
        seconds.append(time.perf_counter() - started)
        questions.append(_asked() - before)
    told = {"policies": Policy.objects.count(), "projects": projects, "spans": PROJECTS * TRACES * 4}
    told["incidents"] = Incident.objects.going_on().count()
    print(json.dumps({**told, "seconds": seconds, "questions": questions}))


def _make(now: datetime) -> int:
    from agentops_portal.clickhouse.client import get_client
    from guardrails.policies.models import Policy
    from projects.models import Organization, Project

    organizations = Organization.objects.bulk_create(Organization(name=f"Bench {n}") for n in range(ORGANIZATIONS))
    projects = Project.objects.bulk_create(
        Project(organization=organizations[number % ORGANIZATIONS], name=f"Project {number}")
        for number in range(PROJECTS)
    )
    before = now - timedelta(days=2)
    Policy.objects.bulk_create(
        Policy(organization=each.organization, project=each, name=values["kind"], created_at=before, **values)
        for each in projects
        for values in POLICIES
    )
    client = get_client()
    for each in projects:
        bound = {"project": str(each.pk), "start": now - timedelta(days=1), "traces": TRACES, "spans": TRACES * 4}
        client.command(_SPANS, parameters=bound)
    return len(projects)


def _asked() -> int:
    """How many questions of policies ClickHouse has answered in this process."""
    from agentops_portal.clickhouse.gate import QUERY_SECONDS

    samples = [sample for metric in QUERY_SECONDS.collect() for sample in metric.samples]
    counts = [each for each in samples if each.name.endswith("_count")]
    return int(sum(each.value for each in counts if each.labels["query"].startswith("watched.")))


if __name__ == "__main__":
    django.setup()
    main()
