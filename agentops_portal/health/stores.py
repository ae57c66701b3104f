"""Whether both stores answer a real query right now."""

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

import psycopg
import structlog
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from agentops_portal.clickhouse.client import get_client
from agentops_portal.postgres import open_connection

ANSWER_SECONDS = 3

logger = structlog.get_logger(__name__)
# Two of each: a store that hangs may hold one while the next question comes.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="ready")


def problems() -> dict[str, str]:
    """What is wrong, by store ("postgres", "clickhouse"); empty when both answer.

    The texts name no host, user or password: whoever may ask for readiness may not know them. The log has the rest.
    """
    answers = {"postgres": _threads.submit(_ask_postgres), "clickhouse": _threads.submit(_ask_clickhouse)}
    return {store: problem for store, answer in answers.items() if (problem := _problem(store, answer))}


def _problem(store: str, answer: "Future[None]") -> str:
    try:
        answer.result(timeout=ANSWER_SECONDS)
    except FutureTimeout:
        answer.cancel()
        return f"no answer within {ANSWER_SECONDS} s"
    except (psycopg.Error, ClickHouseError, OSError) as error:
        logger.warning("store not ready", store=store, error=" ".join(str(error).split()))
        return _public_cause(str(error))
    return ""


def _ask_postgres() -> None:
    """Reads a table of the portal, so that a database without migrations is not ready either.

    On a connection of its own: the pool would hide why there is none, and a busy pool is no reason to be restarted.
    """
    with open_connection() as client:
        client.execute(f"SET LOCAL statement_timeout = {ANSWER_SECONDS * 1000}")
        client.execute("SELECT 1 FROM django_migrations LIMIT 1")


def _ask_clickhouse() -> None:
    get_client().query("SELECT 1 FROM otel_traces LIMIT 1", settings={"max_execution_time": ANSWER_SECONDS})


def _public_cause(message: str) -> str:
    """A cause in the portal's own words."""
    text = message.lower()
    causes = {
        "authentication": "it refuses the user name or password",
        "password": "it refuses the user name or password",
        "does not exist": "the portal's tables are missing: run manage.py migrate",
        "unknown_table": "the portal's tables are missing: run manage.py migrate",
        "unknown_database": "the portal's database is missing: run manage.py migrate",
        "too many": "it has too many connections or queries",
        "cannot be reached": "it cannot be reached",
        "connection": "it cannot be reached",
    }
    return next((cause for part, cause in causes.items() if part in text), "its query failed: see the log")
