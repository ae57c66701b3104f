from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from traces.store.prices import repricing
from traces.store.prices.exchange import read_file, write_file
from traces.store.prices.filling import is_current
from traces.store.prices.keeping import renew


class Command(BaseCommand):
    help = (
        "Let the price book count: for spans that come, and anew for the calls that are stored. Pages show the figures "
        "of before until all of those of after are there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--preview", action="store_true", help="only say what would change")
        what.add_argument(
            "--export", type=Path, metavar="FILE", help="write the entries that people made: .csv or .json"
        )
        what.add_argument("--import", type=Path, metavar="FILE", dest="source", help="read entries from such a file")
        parser.add_argument("--dry-run", action="store_true", help="of --import: only say what is wrong in the file")
        what.add_argument("--if-needed", action="store_true", help="only when another version of genai-prices is here")

    def handle(self, *args: Any, preview: bool, if_needed: bool, **options: Any) -> None:
        try:
            if options["export"]:
                self.stdout.write(f"{write_file(options['export'])} entries are in {options['export']}.")
                return
            if options["source"]:
                self._import(options["source"], options["dry_run"])
                return
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if if_needed and is_current():
            return
        if preview:
            self.stdout.write(_sentence(repricing.preview()))
            return
        renew()
        change = repricing.reprice(say=lambda line: self.stderr.write(f"  {line}", style_func=str))
        if not if_needed or change.calls:
            self.stdout.write(_sentence(change))

    def _import(self, source: Path, dry_run: bool) -> None:
        """Nothing is kept of a file with a fault. Raises CommandError with every fault and its row."""
        read = read_file(source, dry_run)
        if read.faults:
            raise CommandError("\n".join([*read.faults, "Nothing was imported."]))
        done = "would be" if dry_run else "are"
        self.stdout.write(f"{read.new} entries {done} new, {read.changed} changed, {read.same} left as they are.")
        if not dry_run:
            self.stdout.write("They count after `manage.py prices`.")


def _sentence(change: repricing.Change) -> str:
    return (
        f"Calls that cost something else: {change.calls}, on {len(change.days)} days; "
        f"before ${change.before:f}, after ${change.after:f}."
    )
