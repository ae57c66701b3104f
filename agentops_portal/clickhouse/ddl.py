"""ClickHouse DDL written once for one machine and for a cluster.

With CLICKHOUSE_CLUSTER set, every statement runs ON CLUSTER, `MergeTree` engines are the replicated ones, and a table
is two: `<name>_local`, which holds the rows of one shard, and `<name>`, which spreads over all shards. Queries and
inserts use `<name>`; materialized views read and write `local(<name>)`, so that rows stay on the shard they are on.
"""

from django.conf import settings
from django.db import connections

DISTRIBUTED_SUFFIX = "_local"


def cluster() -> str:
    """The name of the cluster, or "" on one machine."""
    return str(settings.CLICKHOUSE_CLUSTER)


def database() -> str:
    """The name of the database, for the few texts that ClickHouse also works out where none is selected."""
    return str(connections.settings["clickhouse"]["NAME"])


def on_cluster() -> str:
    """`ON CLUSTER "name"`, or nothing on one machine."""
    return f'ON CLUSTER "{_quoted(cluster(), chr(34))}"' if cluster() else ""


def merge_tree(engine: str = "MergeTree", *arguments: str) -> str:
    """An engine of the MergeTree family: `merge_tree("ReplacingMergeTree", "version")`.

    On a cluster the replicated one. It carries no path and no replica name: the server's defaults hold the table's
    UUID, which is the same on every replica of a table that was created ON CLUSTER.
    """
    if not engine.endswith("MergeTree") or engine.startswith("Replicated"):
        raise ValueError(f"{engine} is not a plain engine of the MergeTree family.")
    return f"{'Replicated' if cluster() else ''}{engine}({', '.join(arguments)})"


def local(table: str) -> str:
    """The table that holds the rows on this server."""
    return f"{table}{DISTRIBUTED_SUFFIX}" if cluster() else table


def create_table(table: str, columns: str, engine: str, clauses: str = "", *, shard_by: str = "rand()") -> list[str]:
    """Statements that create `table` unless it exists.

    `columns` is the text between the parentheses, `engine` comes from `merge_tree` (or is `Null`), `clauses` is what
    follows the engine (PARTITION BY, ORDER BY, TTL, SETTINGS), `shard_by` is the expression that chooses a row's shard.
    """
    statements = [
        _joined(f"CREATE TABLE IF NOT EXISTS {local(table)}", on_cluster(), f"({columns}) ENGINE = {engine}", clauses)
    ]
    if cluster():
        name = _quoted(cluster(), "'")
        distributed = f"Distributed('{name}', currentDatabase(), '{local(table)}', {shard_by})"
        statements.append(f"CREATE TABLE IF NOT EXISTS {table} {on_cluster()} AS {local(table)} ENGINE = {distributed}")
    return statements


def drop_table(table: str) -> list[str]:
    """Statements that undo `create_table`; SYNC frees the replica's path, so that the table can be created again."""
    tables = [table, local(table)] if cluster() else [table]
    return [_joined(f"DROP TABLE IF EXISTS {name}", on_cluster(), "SYNC") for name in tables]


def create_materialized_view(view: str, *, to: str, select: str) -> str:
    """The statement that creates a materialized view which writes what `select` yields to table `to`."""
    return _joined(f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view}", on_cluster(), f"TO {to} AS {select}")


def drop_view(view: str) -> str:
    return _joined(f"DROP VIEW IF EXISTS {view}", on_cluster(), "SYNC")


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _quoted(name: str, quote: str) -> str:
    return name.replace("\\", "\\\\").replace(quote, f"\\{quote}")
