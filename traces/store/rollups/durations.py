"""Durations kept so that their percentiles can be told, added up and taken back again.

A histogram: how many durations lie in each bin, and what they add up to. A sketch such as a t-digest is no larger, but
nothing can be taken out of it, and a call that turns out to be a layer of another one must be (traces/store/calls).
A bin says the mean of what lies in it: exact where that is one value, and else less than a bin's width off, 1.1 %.
Between two values lies their weighted mean, as with the percentiles of requests
(traces/store/queries/trace_metrics.py).
"""

from collections.abc import Mapping

BINS_OF_OCTAVE = 64
LEVELS = (0.5, 0.95, 0.99)
# Bins, how many each has, nanoseconds in all; sums of any number of durations fit.
_BINS, _COUNTS, _SUMS = "Array(UInt16)", "Array(Int64)", "Array(Int128)"
KIND = f"Tuple({_BINS}, {_COUNTS}, {_SUMS})"
MERGE = "sumMap"


def one(duration: str, condition: str, sign: str = "1") -> str:
    """SQL of the kind: a duration in nanoseconds, taken back where `sign` is -1; nothing where the condition fails."""
    held = f"([toUInt16({BINS_OF_OCTAVE} * log2({duration} + 1))], [toInt64({sign})], [toInt128({duration}) * {sign}])"
    return f"CAST(if({condition}, {held}, ([], [], [])), '{KIND}')"


def median(durations: str) -> str:
    """SQL: nanoseconds, NaN where there is no duration. durations: of the kind."""
    means = f"arrayMap((each, total) -> total / each, ({durations}).2, ({durations}).3)"
    weights = f"arrayMap(each -> toUInt64(greatest(each, 0)), ({durations}).2)"
    return f"arrayReduce('quantileExactWeightedInterpolated(0.5)', {means}, {weights})"


def percentiles_by(table: str, by: Mapping[str, str], where: str, name: str) -> str:
    """SELECT of the names of `by`, each an expression over rows of the table, and an array of nanoseconds: LEVELS.

    What has no duration has no row. Bins are added up as rows: several times as fast as merging their arrays.
    """
    keys, groups = ", ".join(f"{expression} AS {key}" for key, expression in by.items()), ", ".join(by)
    levels = ", ".join(map(str, LEVELS))
    return f"""
        SELECT {groups}, quantilesExactWeightedInterpolated({levels})(total / held, toUInt64(held)) AS {name} FROM (
            SELECT {keys}, bin, sum(each) AS held, sum(ns) AS total
            FROM {table} ARRAY JOIN durations.1 AS bin, durations.2 AS each, durations.3 AS ns
            WHERE {where} GROUP BY {groups}, bin HAVING held > 0
        ) GROUP BY {groups}
    """
