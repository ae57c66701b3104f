import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run the whole portal in the foreground: stores, web, receiver, worker and beat. Ctrl-C stops all."
    requires_system_checks: list[str] = []  # the stores they may ask are not started yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="no sample traffic at the first start")

    def handle(self, *args: Any, no_demo: bool = False, **options: Any) -> None:
        """Become the supervisor, a process that carries none of Django's applications in its memory."""
        arguments = ["--no-demo"] if no_demo else []
        os.chdir(settings.BASE_DIR)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "agentops_portal.embedded.up", *arguments])  # noqa: S606
