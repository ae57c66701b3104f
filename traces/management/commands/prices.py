from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from traces.store.prices import repricing
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
        what.add_argument("--if-needed", action="store_true", help="only when another version of genai-prices is here")

    def handle(self, *args: Any, preview: bool, if_needed: bool, **options: Any) -> None:
        if if_needed and is_current():
            return
        if preview:
            self.stdout.write(_sentence(repricing.preview()))
            return
        renew()
        change = repricing.reprice(say=lambda line: self.stderr.write(f"  {line}", style_func=str))
        if not if_needed or change.calls:
            self.stdout.write(_sentence(change))


def _sentence(change: repricing.Change) -> str:
    return (
        f"Calls that cost something else: {change.calls}, on {len(change.days)} days; "
        f"before ${change.before:f}, after ${change.after:f}."
    )
