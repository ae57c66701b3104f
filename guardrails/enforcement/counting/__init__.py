"""Where limits are counted: in PostgreSQL or, where REDIS_URL names one, in Redis. Both do what `Counters` says."""

from functools import cache

from django.conf import settings

from .counters import Asked, Counters, CountersAway, Standing, Use, Waiting, window_of

__all__ = ["Asked", "Counters", "CountersAway", "Standing", "Use", "Waiting", "counters", "window_of"]


@cache
def _in_postgres() -> Counters:
    from .in_postgres import InPostgres

    return InPostgres()


@cache
def _in_redis(url: str) -> Counters:
    from .in_redis import InRedis

    return InRedis(url)


def counters() -> Counters:
    return _in_redis(settings.REDIS_URL) if settings.REDIS_URL else _in_postgres()
