"""Run in a process with the portal's settings: makes schedules that are long due, and tells what became of them.

python -m benchmarks.report_schedules make WEBHOOK
python -m benchmarks.report_schedules tell
"""

import json
import sys
from datetime import datetime, timedelta

import django
from django.db import transaction

SCHEDULES = 12
DAYS = 6  # that each of them missed
ADDRESSES = 4  # of each schedule, beside one webhook
TRIPLES = SCHEDULES * DAYS * (ADDRESSES + 1)


@transaction.atomic
def make(webhook: str) -> None:
    """All at once: a tick in between would find schedules whose recipients are not confirmed yet."""
    from guardrails.database_clock import database_now
    from guardrails.reports.models import Channel, Recipient
    from guardrails.reports.services import create_schedule, set_recipients
    from projects.models import Project

    project = Project.objects.get()
    now = database_now()
    made_at = now - timedelta(days=DAYS)
    for number in range(SCHEDULES):
        values = {"name": f"Schedule {number}", "frequency": "daily", "formats": [], "catch_up": DAYS, "hour": 0}
        schedule = create_schedule(
            organization=project.organization, project=project, values=values, actor=None, now=made_at
        )
        addresses: dict[str, list[str]] = {
            Channel.EMAIL: [f"person-{each}@example.org" for each in range(ADDRESSES)],
            Channel.WEBHOOK: [f"{webhook}/{number}"],
        }
        set_recipients(schedule=schedule, members=[], addresses=addresses, actor=None, now=made_at)
    Recipient.objects.update(confirmed_at=made_at)


def tell() -> None:
    """Each delivery: whose, when, over which channel, how it stands and how often it was tried."""
    from guardrails.reports.models import Delivery, Report, ReportSchedule

    rows = [
        {
            "id": str(each.pk),
            "schedule": each.report.schedule.name,
            "period": str(each.report.period.first),
            "channel": each.channel,
            "address": each.address,
            "state": each.state,
            "attempts": len(each.attempts),
        }
        for each in Delivery.objects.select_related("report__schedule").defer("report__figures")
    ]
    newest: datetime | None = max(ReportSchedule.objects.values_list("next_start", flat=True), default=None)
    unfrozen = Report.objects.filter(frozen_at=None).count()
    told = {"deliveries": rows, "reports": Report.objects.count(), "unfrozen": unfrozen, "next": str(newest)}
    print(json.dumps(told))


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        tell()
