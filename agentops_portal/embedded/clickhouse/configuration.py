"""The engine's configuration: small enough for a machine it shares with the rest of the portal."""

from pathlib import Path
from xml.etree import ElementTree

_MIB = 1 << 20


def write(path: Path, memory: int, backups: Path) -> None:
    """Write the engine's configuration file; `memory` in bytes is the most the engine may take."""
    root = ElementTree.Element("clickhouse")
    _fill(root, _settings(memory, backups))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8")


def _settings(memory: int, backups: Path) -> dict[str, object]:
    return {
        "max_server_memory_usage": memory,
        # Caches take what they are given: these stay below a tenth of the memory.
        "mark_cache_size": 64 * _MIB,
        "primary_index_cache_size": 32 * _MIB,
        "index_mark_cache_size": 8 * _MIB,
        "index_uncompressed_cache_size": 0,
        "uncompressed_cache_size": 0,
        "mmap_cache_size": 100,
        "compiled_expression_cache_size": 16 * _MIB,
        "query_condition_cache_size": 8 * _MIB,
        "query_cache": {"max_size_in_bytes": 16 * _MIB},
        # Two merges beside the queries; sixteen may wait for their turn. A DELETE queues a task for each part of its
        # table, as many at once as there is room, and half a second later again: with room for four it takes 22 s
        # over 150 partitions, with sixteen 5 s.
        "background_pool_size": 2,
        "background_merges_mutations_concurrency_ratio": 8,
        "background_common_pool_size": 2,
        "background_move_pool_size": 1,
        "background_fetches_pool_size": 1,
        "background_schedule_pool_size": 2,
        "background_buffer_flush_schedule_pool_size": 1,
        "background_message_broker_schedule_pool_size": 1,
        "background_distributed_schedule_pool_size": 1,
        # These must be smaller than the pool, or mutations and merges of a whole partition never start.
        "merge_tree": {
            "number_of_free_entries_in_pool_to_lower_max_size_of_merge": 1,
            "number_of_free_entries_in_pool_to_execute_mutation": 1,
            "number_of_free_entries_in_pool_to_execute_optimize_entire_partition": 1,
            # Ingest makes many small parts. With the default of 5 merging them takes as much CPU as inserting them
            # and writes every row 5 to 11 times more; with 16 it is twice, for some more parts in between.
            "merge_selector_base": 16,
        },
        # A merge can wait, a client that sends or reads cannot.
        "os_threads_nice_value_merge_mutate": 19,
        "max_thread_pool_size": 1000,
        "max_thread_pool_free_size": 16,
        "max_concurrent_queries": 100,
        "asynchronous_metrics_update_period_s": 30,
        "backups": {"allowed_path": str(backups)},
    }


def _fill(parent: ElementTree.Element, values: dict[str, object]) -> None:
    for name, value in values.items():
        child = ElementTree.SubElement(parent, name)
        if isinstance(value, dict):
            _fill(child, value)
        else:
            child.text = str(value)
