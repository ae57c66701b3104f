import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.utils import Error as DatabaseError

from agentops_portal import postgres, preparation
from agentops_portal.clickhouse import probe as clickhouse
from agentops_portal.permissions import refusal
from agentops_portal.problems import StoreProblem
from agentops_portal.schedule import sync_schedule


class Command(BaseCommand):
    help = (
        "Do what a start needs: translations, static files, migrations of both databases, periodic tasks, the first "
        "user and project. Safe to repeat, quick when there is nothing to do. `manage.py up` calls it."
    )
    requires_system_checks: list[str] = []  # those of the databases come with `migrate`

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print what `bootstrap --json` prints, and no more")

    def handle(self, *args: Any, json: bool = False, **options: Any) -> None:
        try:
            self._prepare_databases()
            self._prepare_files()
            call_command("bootstrap", json=json, stdout=self.stdout, stderr=self.stderr)
        except (CommandError, DatabaseError, ImproperlyConfigured, OSError, StoreProblem) as error:
            if settings.DEBUG:
                raise
            self._say(" ".join(_sentence(error).split()))
            sys.exit(1)

    def _prepare_files(self) -> None:
        preparation.make_folders()
        if languages := preparation.compile_translations():
            self._say(f"Translations compiled: {', '.join(languages)}")
        if preparation.stale_static():
            self._say("Collecting and compressing the static files")
            preparation.collect_static()

    def _prepare_databases(self) -> None:
        postgres.probe()
        clickhouse.probe()
        for alias in connections:
            preparation.examine_store(connections[alias])
        migrations = preparation.unapplied_migrations()
        if migrations:
            self._say(f"Applying {len(migrations)} migrations")
        if migrations or preparation.store_differs():
            # What it prints is progress of an upgrade, which may take long.
            call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
        call_command("prices", if_needed=True, stdout=sys.stderr, stderr=sys.stderr)
        sync_schedule()

    def _say(self, text: str) -> None:
        """Progress goes to standard error: standard output may hold JSON."""
        self.stderr.write(text, style_func=str)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and isinstance(error.filename, str):
        return refusal(Path(error.filename), error, settings.PORTAL_VAR)
    return str(error)
