from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from projects.models import Project
from traces.lifecycle.retention.plan import kept_since, rows_by_project
from traces.lifecycle.retention.run import IN_POSTGRES, counts_of, enforce, outdated, what_is_due


class Command(BaseCommand):
    help = (
        "Remove what is older than its project keeps it, as the nightly task does: spans, roll-ups, guardrail runs, "
        "unreadable requests, uploads, agent runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")

    def handle(self, *args: Any, dry_run: bool = False, **options: Any) -> None:
        if dry_run:
            try:
                self._say_what_is_due()
            except DatabaseError as error:
                raise CommandError(str(error)) from error
            return
        run = enforce()
        names = _names()
        for project, tables in run.removed.items():
            for table, rows in tables.items():
                self.stdout.write(f"{names.get(project, project)} ({project})  {table}: {rows} rows")
        if run.error:
            raise CommandError(f"It stopped after {run.removed_rows} rows; run it again to go on. {run.error}")
        self.stdout.write(f"Removed {run.removed_rows} rows.")

    def _say_what_is_due(self) -> None:
        now = timezone.now()
        lines: dict[str, list[str]] = {}
        for name, model, path, came_at in IN_POSTGRES:
            for project_id, rows in counts_of(outdated(model, path, came_at, now), path).items():
                lines.setdefault(project_id, []).append(f"  {name}: {rows} rows")
        for table, due in what_is_due(now):
            for project_id, (rows, first, last) in rows_by_project(due).items():
                lines.setdefault(project_id, []).append(f"  {table.name}: {rows} rows of {first} to {last}")
        for project in Project.objects.order_by("name", "id"):
            since = kept_since(project.retention_days, now)
            self.stdout.write(f"{project.name} ({project.pk}) keeps {project.retention_days} days, since {since}:")
            for line in lines.get(str(project.pk), ["  nothing is older"]):
                self.stdout.write(line)


def _names() -> dict[str, str]:
    return {str(pk): name for pk, name in Project.objects.values_list("pk", "name")}
