from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from agentops_portal.clickhouse.client import ALIAS
from traces.store.rollups.rebuild import StillReceiving, rebuild


class Command(BaseCommand):
    help = "Compute the roll-ups that pages read (trace summaries, usage, guardrail runs) anew from the spans."

    def add_arguments(self, parser: ArgumentParser) -> None:
        day = date.fromisoformat
        parser.add_argument(
            "--since", type=day, metavar="DAY", help="first day, UTC, such as 2026-11-23 (default: all)"
        )
        parser.add_argument("--until", type=day, metavar="DAY", help="the day after the last one (default: all)")

    def handle(self, *args: Any, since: date | None, until: date | None, **options: Any) -> None:
        if since and until and since >= until:
            raise CommandError("--until must come after --since.")
        try:
            days = rebuild(connections[ALIAS], since, until)
        except StillReceiving as error:
            raise CommandError(
                f"{error} Stop the receivers, or leave these days out with --until, and run it again."
            ) from error
        except DatabaseError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Rebuilt the roll-ups of {days} days.")
