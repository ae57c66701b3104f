import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import structlog
from django.utils import translation

from agentops_portal.clickhouse.gate import Limits, QueryTimeout, Scope, select
from agentops_portal.clickhouse.together import WORKERS, Questions, together

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = datetime(2026, 3, 1, tzinfo=UTC)
SCOPE = Scope(uuid4(), START, START + timedelta(days=1))
WHERE = "WHERE {project_id:String} != '' AND {start:DateTime64(9)} < {end:DateTime64(9)}"


def ask(value: str, limits: Limits | None = None) -> object:
    query = f"SELECT {value} AS answer {WHERE} SETTINGS function_sleep_max_microseconds_per_block = 20000000"
    [row] = select(query, name="test", scope=SCOPE, limits=limits or Limits())
    return row["answer"]


def test_each_function_has_its_own_answer_in_its_place() -> None:
    assert together(lambda: ask("1"), lambda: ask("'two'"), lambda: ask("[3]")) == (1, "two", [3])


def test_they_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=10)

    assert sorted(together(meeting.wait, meeting.wait, meeting.wait)) == [0, 1, 2]


def test_any_number_of_questions_are_asked_at_the_same_time() -> None:
    meeting = threading.Barrier(5, timeout=10)

    with Questions() as question:
        places = [question(meeting.wait) for _ in range(5)]

    assert sorted(place.result() for place in places) == [0, 1, 2, 3, 4]


def test_of_many_questions_the_first_failure_is_raised_when_all_have_ended() -> None:
    ended = []

    def fail(reason: str) -> None:
        raise QueryTimeout(reason)

    def take_a_moment() -> None:
        time.sleep(0.2)
        ended.append(1)

    def ask_all() -> None:
        with Questions() as question:
            question(take_a_moment)
            question(lambda: fail("first"))
            question(lambda: fail("second"))

    with pytest.raises(QueryTimeout, match="first"):
        ask_all()

    assert ended == [1]


@pytest.mark.parametrize("place", range(3))
def test_an_error_is_raised_when_all_have_ended(place: int) -> None:
    ended = []

    def fail() -> None:
        raise QueryTimeout("too long")

    def take_a_moment() -> None:
        time.sleep(0.2)
        ended.append(1)

    functions = [take_a_moment] * 3
    functions[place] = fail
    with pytest.raises(QueryTimeout, match="too long"):
        together(*functions)

    assert len(ended) == 2


def test_messages_are_in_the_language_of_the_caller_and_logs_name_its_request() -> None:
    def message() -> str:
        with pytest.raises(QueryTimeout) as raised:
            ask("sleep(3)", Limits(seconds=1))
        return str(raised.value)

    with translation.override("ko"), structlog.contextvars.bound_contextvars(request_id="r1"):
        expected = translation.gettext("The query took too long: choose a shorter time range.")
        found = together(lambda: None, message, structlog.contextvars.get_contextvars)

    assert expected != "The query took too long: choose a shorter time range."
    assert found == (None, expected, {"request_id": "r1"})


def test_more_callers_than_workers_are_all_answered() -> None:
    answers: list[object] = []

    def ask_three() -> None:
        answers.append(together(lambda: ask("1"), lambda: ask("2"), lambda: ask("3")))

    threads = [threading.Thread(target=ask_three) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [(1, 2, 3)] * WORKERS
