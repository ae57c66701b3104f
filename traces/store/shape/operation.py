"""The migration that a change of the store's shape needs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db.migrations import Migration

from agentops_portal.clickhouse.operations import ClickHouseSQL

if TYPE_CHECKING:  # a migration must not depend on what today's code means
    from .description import Description


class StoreShape(ClickHouseSQL):
    """Says for which shape a migration was written: object → fingerprint (description.py), of those that changed.

    It runs nothing. After the migrations `manage.py migrate` compares the store with today's code and alters what
    differs, once, however many of these there were. What an ALTER cannot do (rename a column, another sorting key of
    `otel_traces`) stands beside it as ClickHouseSQL, whose text is written out and never made from today's code.
    """

    def __init__(self, fingerprints: Mapping[str, str]) -> None:
        super().__init__((), ())
        self.fingerprints = dict(fingerprints)

    def describe(self) -> str:
        return f"ClickHouse: another shape of {', '.join(self.fingerprints)}"


def recorded(migrations: Mapping[str, Migration]) -> dict[str, str]:
    """Object → fingerprint, as the migrations say it together; "" for one that is gone."""
    found: dict[str, str] = {}
    for name in sorted(migrations):
        for operation in migrations[name].operations:
            if isinstance(operation, StoreShape):
                found.update(operation.fingerprints)
    return found


def lacking(migrations: Mapping[str, Migration], wanted: "Description") -> str:
    """The migration that is missing, as a text for whoever must write it; "" when none is.

    migrations: of the app, by their names, whose order is that of the names; wanted: what the code means.
    """
    known, today = recorded(migrations), wanted.fingerprints()
    changed = {name: digest for name, digest in today.items() if known.get(name, "") != digest}
    changed |= {name: "" for name, digest in known.items() if digest and name not in today}
    if not changed:
        return ""
    lines = "".join(f'        "{name}": "{digest}",\n' for name, digest in changed.items())
    return (
        f"{', '.join(changed)}: the store's shape changed, which needs a migration. Add one to traces/migrations with\n"
        f"    from traces.store.shape.operation import StoreShape\n"
        f"    operations = [StoreShape({{\n{lines}    }})]\n"
        "and beside it, written out, what an ALTER cannot do; see traces/store/shape/README.md."
    )
