"""All of the portal's objects in ClickHouse, as today's code means them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from traces.store.dialects import DIALECTS, Dialect
from traces.store.rollups.all import ROLLUPS, TIMES_VIEW
from traces.store.rollups.rollup import Rollup
from traces.store.schema.objects import Table, View
from traces.store.schema.rates import DRAFT_TABLE, HELD_TABLE, RATES_TABLE
from traces.store.schema.tables import INBOX_TABLE, MESSAGES_TABLE, UNREADABLE_TABLE, decoder_view, spans_table
from traces.store.schema.verdicts import VERDICTS_TABLE


@dataclass(frozen=True)
class Description:
    """tables: in the order in which they are made; views: those that are altered in place; rollups: each a table and
    the views that fill it, which are renewed together.
    """

    tables: tuple[Table, ...]
    rollups: tuple[Rollup, ...]
    views: tuple[View, ...]

    def all_tables(self) -> tuple[Table, ...]:
        return (*self.tables, *(rollup.as_table() for rollup in self.rollups))

    def all_views(self) -> tuple[View, ...]:
        return (*self.views, *(view for rollup in self.rollups for view in rollup.as_views()))

    def fingerprints(self) -> dict[str, str]:
        """Object → eight characters that change when anything of it does."""
        objects: list[Table | View] = [*self.all_tables(), *self.all_views()]
        return {each.name: digest(each) for each in objects}


def description(dialects: Iterable[Dialect] = DIALECTS, rollups: Iterable[Rollup] = ROLLUPS) -> Description:
    dialects = tuple(dialects)
    return Description(
        tables=(
            *(spans_table(dialects), MESSAGES_TABLE, INBOX_TABLE, UNREADABLE_TABLE),
            *(RATES_TABLE, HELD_TABLE, DRAFT_TABLE, VERDICTS_TABLE),
        ),
        rollups=tuple(rollups),
        views=(decoder_view(dialects), TIMES_VIEW),
    )


def digest(described: object) -> str:
    """Of a table, a view, or several of them."""
    # However its text is broken into lines.
    return hashlib.sha256(" ".join(repr(described).replace("\\n", " ").split()).encode()).hexdigest()[:8]
