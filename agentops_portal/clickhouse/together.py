"""Several questions to ClickHouse at the same time, for pages that show several answers.

Much of a short query is spent on a single core, understanding it: three that run together take little longer than the
longest of them.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Any, Self, TypeVar

from django.utils import translation

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")

WORKERS = 16  # a page that finds them busy waits


class Questions:
    """Any number of questions that are asked at once:

        with Questions() as ask:
            sums, traces = ask(lambda: …), ask(lambda: …)
        show(sums.result(), traces.result())

    Behind the block all are answered. A question that failed raises at the block's end, when the others have ended; of
    several the one asked first.
    """

    def __init__(self) -> None:
        self._asked: list[Future[Any]] = []

    def __call__(self, function: Callable[[], T]) -> "Future[T]":
        """`function` only asks ClickHouse, for its thread has no other database."""
        future = _started(function)
        self._asked.append(future)
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        failures = [failure for future in self._asked if (failure := future.exception()) is not None]
        if failures and kind is None:
            raise failures[0]


def together(first: Callable[[], A], second: Callable[[], B], third: Callable[[], C]) -> tuple[A, B, C]:
    """What the three functions return; they only ask ClickHouse, for their threads have no other database.

    Raises what the first of them to fail raised, after all have ended.
    """
    others = _started(second), _started(third)
    try:
        answer = first()
    finally:
        for other in others:
            other.exception()  # waits
    return answer, others[0].result(), others[1].result()


def _started(function: Callable[[], T]) -> Future[T]:
    language = translation.get_language()

    def run() -> T:
        with translation.override(language):  # of the messages of errors
            return function()

    return _pool().submit(copy_context().run, run)  # the context has the names in the log


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="clickhouse")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked child has none of the threads
