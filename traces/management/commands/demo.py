import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agentops_portal.clickhouse.gate import ClickHouseError
from traces.demo import load


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError(f"{number} is less than 1")
    return number


class Command(BaseCommand):
    help = "Send several days of believable sample traffic through the receiver, into a project of its own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=positive, default=load.DAYS, help="how far back (default: %(default)s)")
        parser.add_argument("--traces", type=positive, default=load.TRACES, help="how many (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=load.SEED, help="another number: other traffic")
        parser.add_argument("--project", default=load.PROJECT, help="its name or id (default: %(default)s)")
        parser.add_argument("--endpoint", default="", help="base URL of the receiver (default: this portal's)")
        parser.add_argument("--key", default="", help="send with this API key, into its project")
        parser.add_argument("--again", action="store_true", help="also into a project that holds sample traffic")
        parser.add_argument("--json", action="store_true", help="print the figures of what was sent as JSON")

    def handle(self, *args: Any, json: bool = False, **options: Any) -> None:
        chosen = {name: options[name] for name in ("days", "traces", "seed", "project", "endpoint", "key", "again")}
        try:
            result = self._load(chosen)
        except (load.DemoError, ClickHouseError) as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(_("PostgreSQL does not answer: start the portal with `make up` first.")) from error
        self.stdout.write(_as_json(result) if json else _as_text(result))

    def _load(self, chosen: dict[str, Any]) -> load.DemoResult:
        """Progress goes to the error stream, so that --json leaves nothing but JSON on the other."""
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        # In a log the bar would be one blank line; `manage.py up` says on its own how long it has taken.
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(_("Sending spans"), total=None)
            return load.load_demo(**chosen, progress=lambda done, total: bar.update(task, completed=done, total=total))


def _as_json(result: load.DemoResult) -> str:
    return json.dumps(result.as_json(), ensure_ascii=False)


def _as_text(result: load.DemoResult) -> str:
    if result.tally is None:
        return _("%(project)s holds sample traffic already: nothing was sent. --again sends more.") % {
            "project": result.project_name
        }
    return _("%(traces)s traces (%(spans)s spans) were sent to %(project)s in %(seconds).1f s.") % {
        "traces": result.tally.traces,
        "spans": result.tally.spans,
        "project": result.project_name,
        "seconds": result.seconds,
    }
