"""Writes what the price book says of every name of a model into ClickHouse, where spans are priced as they are stored.

Names are those of the package, those that have an entry, and those that spans had. Spans that are there keep what they
cost: repricing.py.
"""

from collections import defaultdict
from uuid import UUID

from django.db import connection as postgres
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from agentops_portal.batches import batches
from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.client import get_client
from projects.models import Project
from traces.store.schema.rates import HELD, HELD_TABLE, RATES

from .book import PriceBook
from .entries import Entry
from .models import ModelPrice
from .package import all_entries, source
from .rates import Named, Row, rows

_MARK = "from "  # no name of a model: keys have `|`
LOCK = 0x70_72_69_63  # any number that no other advisory lock of this database has


def fill() -> int:
    """Let ClickHouse hold the book as it stands; gives the number of names that have a price.

    Of two processes that do it the second one waits.
    """
    with transaction.atomic(), postgres.cursor() as lock:
        lock.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        with connections["clickhouse"].cursor() as cursor:
            held = book_rows(seen_names(cursor))
            write_rates(cursor, held)
            cursor.execute(HELD_TABLE.replace_by(f"SELECT name, entries FROM {RATES}"))
    return len(held)


def is_current() -> bool:
    """Whether ClickHouse holds a book, with what the installed version of the package says."""
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(f"SELECT count() FROM {HELD} WHERE name = %s", [_MARK + source()])
        return bool(cursor.fetchall()[0][0])


def seen_names(cursor: CursorWrapper) -> set[Named]:
    """Of all calls that are stored."""
    cursor.execute(
        "SELECT DISTINCT lower(toString(provider)), lower(toString(model)) FROM otel_traces "
        "WHERE is_llm_call AND model != ''"
    )
    return set(cursor.fetchall())


def lacks_names() -> bool:
    """Whether something has come since that an organization's own entries for many models are about: a model that was
    never called before, a project.
    """
    if not ModelPrice.objects.filter(organization__isnull=False, model__contains="*").exists():
        return False
    with connections["clickhouse"].cursor() as cursor:
        wanted = {name for name, _ in book_rows(seen_names(cursor))}
        cursor.execute(f"SELECT name FROM {HELD}")
        return not wanted <= {name for (name,) in cursor.fetchall()}


def book_rows(seen: set[Named]) -> list[Row]:
    by_owner: dict[UUID | None, list[Entry]] = defaultdict(list)
    for price in ModelPrice.objects.all():
        by_owner[price.organization_id].append(price.entry())
    everyones = by_owner.pop(None, [])
    written = {(entry.provider, entry.model) for entry in everyones if not entry.is_manual}
    # What stands in the book counts, though the package says something else by now.
    packaged = [entry for entry in all_entries() if (entry.provider, entry.model) not in written]
    general = [*packaged, *everyones]
    names = {(entry.provider, entry.model) for entry in general if "*" not in entry.model} | seen
    names |= _of_providers(general, names)
    found = [(_MARK + source(), []), *rows(PriceBook(general), names)]
    for organization_id, own in by_owner.items():
        book = PriceBook([*general, *own])
        its = {(provider, model) for provider, model in names if any(entry.names(model) for entry in own)}
        its |= {(entry.provider, entry.model) for entry in own if "*" not in entry.model} | _of_providers(own, its)
        for project_id in Project.objects.filter(organization=organization_id).values_list("pk", flat=True):
            found += rows(book, its, project_id)
    return found


def _of_providers(entries: list[Entry], names: set[Named]) -> set[Named]:
    """Of a provider that has a discount, what the book has under the name of no provider."""
    discounts = [entry for entry in entries if entry.provider and not entry.rates]
    return {(each.provider, model) for each in discounts for _, model in names if each.names(model)}


def write_rates(cursor: CursorWrapper, held: list[Row]) -> None:
    cursor.execute(f"TRUNCATE TABLE {ddl.local(RATES)} {ddl.on_cluster()}")
    # As blocks and not as text: an organization's `*` is thousands of rows for each of its projects.
    for some in batches(held, 20_000):
        get_client().insert(RATES, list(some), column_names=("name", "entries"))
