"""Logs of traces and objects: upload, retrieval, whose they are, how long they stay."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pytest
import time_machine
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection, connections
from django.utils.timezone import now

from agentops_portal.schedule import SCHEDULE
from projects.services import create_api_key, delete_project
from projects.tokens import issue_project_token
from tests.api.conftest import Get
from tests.browser import browser
from tests.cast import Cast, make_cast
from traces.ingest import uploads
from traces.models import Upload
from traces.tasks import enforce_retention

from .conftest import answered

pytestmark = pytest.mark.django_db

PORTAL = settings.PORTAL_URL.rstrip("/")
HEX = "9d3f6ba1c0e94d7788aa00ff12345678"
DECIMAL = str(int(HEX, 16))
# A hexadecimal id may consist of digits; read as a number it would be another trace.
DIGITS = "12345678901234567890123456789012"


def upload(secret: str, body: bytes | str, trace: str | None = DECIMAL, path: str = "/v4/logs/upload/") -> Any:
    headers = {"Authorization": f"Bearer {secret}"} | ({"Trace-Id": trace} if trace is not None else {})
    return browser().post(path, body, content_type="application/json", headers=headers)


def log(get: Get, trace: str, **who: str) -> Any:
    answer = get(f"/v4/logs/{trace}", **(who or {"person": "bo"}))
    if answer.status_code != 200:
        return answer.status_code, answer.json()
    assert answer["Content-Type"] == "application/json"
    return _json(answer)


def _json(answer: Any) -> Any:
    return orjson.loads(b"".join(answer.streaming_content))


def test_what_the_sdk_uploads_is_read_as_the_text_it_was(cast: Cast, get: Get, secret: str) -> None:
    # Defect 46: stored logs were JSON.
    text = '2026-11-23 08:29:07,872 - INFO - 안녕 "quoted" \\ \x1b[31mred\x1b[0m\n  continued\n'
    token = issue_project_token(cast.project.keys.get())

    sent = orjson.dumps({"body": text})
    done = answered(upload(token, sent))

    assert done == {"url": f"{PORTAL}/v4/logs/{HEX}", "size": len(sent)}
    assert log(get, HEX) == {"freeplan_truncated": False, "content": text, "trace_id": HEX}


@pytest.mark.parametrize("body", ["plain text", "{not JSON", '["a list"]', '{"body": 7}', "\x00 binary \x00", "{}"])
def test_another_body_is_the_log_itself(get: Get, secret: str, body: str) -> None:
    assert upload(secret, body).status_code == 200

    assert log(get, HEX)["content"] == body


def test_bytes_that_are_no_text_are_shown_as_far_as_they_are(get: Get, secret: str) -> None:
    assert upload(secret, b"a\xff\xfeb").status_code == 200

    assert log(get, HEX)["content"] == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("sent", [DECIMAL, HEX, HEX.upper(), "9d3f6ba1-c0e9-4d77-88aa-00ff12345678"])
@pytest.mark.parametrize("asked", [DECIMAL, HEX, HEX.upper()])
def test_decimal_and_hexadecimal_ids_are_the_same_trace(get: Get, secret: str, sent: str, asked: str) -> None:
    assert upload(secret, "hello", sent).status_code == 200

    assert log(get, asked)["content"] == "hello"
    assert log(get, asked)["trace_id"] == asked


def test_an_id_of_32_digits_is_found_in_both_readings(get: Get, secret: str) -> None:
    # Defect 46: the log of such a trace was never found.
    assert upload(secret, "of the hexadecimal id", str(int(DIGITS, 16))).status_code == 200
    assert log(get, DIGITS)["content"] == "of the hexadecimal id"

    other = "98765432109876543210987654321098"
    assert upload(secret, "of the decimal id", other).status_code == 200
    assert log(get, other)["content"] == log(get, f"{int(other):032x}")["content"] == "of the decimal id"


def test_uploads_follow_each_other_and_a_repeated_one_counts_once(get: Get, secret: str) -> None:
    for text in ("first\n", "second", "first\n", "third\n"):
        assert answered(upload(secret, text))["size"] == len(text)

    assert log(get, HEX)["content"] == "first\nsecond\nthird\n"


def test_other_traces_have_other_logs(get: Get, secret: str) -> None:
    upload(secret, "mine")

    assert log(get, "0" * 31 + "1") == (404, {"detail": f"No logs found for trace ID: {'0' * 31}1"})


@pytest.mark.parametrize(
    ("trace", "detail"),
    [
        (None, "No trace ID provided"),
        ("", "No trace ID provided"),
        ("../../etc/passwd", "Trace ID contains invalid characters"),
        ("a b", "Trace ID contains invalid characters"),
        ("٣", "Trace ID contains invalid characters"),
        ("9" * 65, "Trace ID contains invalid characters"),
    ],
)
def test_without_a_good_id_nothing_is_stored(secret: str, trace: str | None, detail: str) -> None:
    answer = upload(secret, "text", trace)

    assert (answer.status_code, answer.json()) == (400, {"detail": detail})
    assert not Upload.objects.exists()


@pytest.mark.parametrize("trace", ["run-7.b_2", "9" * 40])
def test_an_id_that_is_no_number_is_taken_as_it_is(get: Get, secret: str, trace: str) -> None:
    assert upload(secret, "text", trace).status_code == 200

    assert log(get, trace)["content"] == "text"


@pytest.mark.parametrize("trace", ["%00", "a%20b", "x" * 100, "..%2F..", "1'%20OR%201=1"])
def test_asking_for_no_id_is_404(get: Get, trace: str) -> None:
    assert log(get, trace)[0] == 404


def test_too_much_is_refused_before_it_is_read(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compat.agentops.v4.uploads.MAX_BYTES", 100)
    read: list[int] = []
    original = WSGIRequest.read
    monkeypatch.setattr(WSGIRequest, "read", lambda self, *size: read.append(size[0]) or original(self, *size))  # type: ignore[func-returns-value]

    for path in ("/v4/logs/upload/", "/v4/objects/upload/"):
        answer = upload(secret, "x" * 101, path=path)
        assert answer.status_code == 413
        assert answer.json() == {"detail": f"File size exceeds the maximum limit of {25 * 1024 * 1024} bytes"}
    assert read == []
    assert upload(secret, "x" * 100).status_code == 200
    assert read == [101]


def test_the_log_of_a_trace_has_an_end(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_LOG_BYTES", 10)

    assert upload(secret, "x" * 6).status_code == 200
    assert upload(secret, "x" * 6).status_code == 200  # the same again
    assert upload(secret, "y" * 5).status_code == 413
    assert upload(secret, "y" * 4).status_code == 200


@pytest.mark.parametrize("path", ["/v4/logs/upload/", "/v4/logs/upload", "/v4/objects/upload/", "/v4/objects/upload"])
def test_only_keys_that_may_send_upload(cast: Cast, path: str) -> None:
    reader = create_api_key(project=cast.project, name="reader only", scopes=["read"]).secret
    sender = create_api_key(project=cast.project, name="sender", scopes=["ingest"]).secret
    signed_in = browser()
    signed_in.force_login(cast.alice)

    assert upload(sender, "x", path=path).status_code == 200
    assert upload(reader, "x", path=path).status_code == 403
    assert upload("6f1d2c3b-0000-4000-8000-000000000001", "x", path=path).status_code == 401
    assert browser().post(path, "x", content_type="text/plain").status_code == 401
    assert signed_in.post(path, "x", content_type="text/plain", headers={"Trace-Id": "1"}).status_code == 403


def test_nobody_reads_or_overwrites_the_log_of_another_project(cast: Cast, get: Get, secret: str) -> None:
    # Defect 8: logs were keyed by the trace's id alone.
    theirs = create_api_key(project=cast.foreign_project, name="theirs").secret
    upload(secret, "ours")

    assert log(get, HEX, person="charlie")[0] == 404
    assert log(get, HEX, key=theirs)[0] == 404
    upload(theirs, "theirs")
    assert log(get, HEX)["content"] == log(get, HEX, key=secret)["content"] == "ours"
    assert log(get, HEX, person="charlie")["content"] == "theirs"


def test_an_object_is_stored_and_read(cast: Cast, get: Get, secret: str) -> None:
    # Defect 46: storing one was always a 500.
    sent = orjson.dumps({"body": "<script>alert(1)</script>"})
    done = answered(upload(secret, sent, path="/v4/objects/upload/"))

    path = done["url"].removeprefix(PORTAL)
    answer = get(path, person="bo")
    assert done["size"] == len(sent)
    assert answer.content == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    assert get(path, key=secret).status_code == 200
    theirs = create_api_key(project=cast.foreign_project, name="theirs").secret
    for stranger in ({"person": "charlie"}, {"key": theirs}):
        assert get(path, **stranger).status_code == 404
    assert get(path).status_code == 401
    assert get("/v4/objects/nonsense", person="alice").status_code == 404


def test_binary_objects_come_back_as_they_were(get: Get, secret: str) -> None:
    done = answered(upload(secret, bytes(range(256)), path="/v4/objects/upload/"))

    assert get(done["url"].removeprefix(PORTAL), key=secret).content == bytes(range(256))


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_uploads_go_with_the_retention_of_their_project(cast: Cast, secret: str) -> None:
    theirs = create_api_key(project=cast.foreign_project, name="theirs").secret
    cast.project.retention_days, cast.foreign_project.retention_days = 5, 30
    cast.project.save()
    cast.foreign_project.save()
    for key in (secret, theirs):
        upload(key, "old")
        Upload.objects.update(created_at=now() - timedelta(days=6))
    upload(secret, "new")

    enforce_retention()

    left = [(row.project, row.content) for row in Upload.objects.order_by("created_at")]
    assert left == [(cast.foreign_project, b"old"), (cast.project, b"new")]
    assert "traces.enforce_retention" in [entry.task for entry in SCHEDULE]


def test_the_log_of_a_deleted_project_is_gone(cast: Cast, get: Get, secret: str) -> None:
    upload(secret, "text")
    delete_project(project=cast.project)

    assert log(get, HEX, person="alice")[0] == 404
    cast.project.delete()
    assert not Upload.objects.exists()


def test_texts_are_compressed(secret: str) -> None:
    upload(secret, "2026-11-23 08:29:07,872 - INFO - the same line\n" * 1000)

    with connection.cursor() as cursor:
        cursor.execute("SELECT length(compressed) FROM traces_upload")
        assert cursor.fetchone()[0] < 1000


def test_the_admin_shows_uploads_but_not_their_content(cast: Cast, secret: str) -> None:
    upload(secret, "secret words")
    client = browser()
    client.force_login(cast.root)

    listed = client.get("/admin/traces/upload/")
    shown = client.get(f"/admin/traces/upload/{Upload.objects.get().pk}/change/")

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert HEX in shown.content.decode()
    assert "secret words" not in shown.content.decode()
    assert client.post(f"/admin/traces/upload/{Upload.objects.get().pk}/change/", {"size": 1}).status_code == 403


def test_a_day_has_a_quota_of_texts_and_objects(cast: Cast, get: Get, secret: str, settings: Any) -> None:
    settings.UPLOADS_PER_DAY = 3
    with time_machine.travel(datetime(2026, 11, 23, 21, tzinfo=UTC), tick=False) as clock:
        assert upload(secret, b"one").status_code == 200
        assert upload(secret, b"one").status_code == 200  # sent again, stored once
        assert upload(secret, b"two").status_code == 200
        assert upload(secret, b"an object", path="/v4/objects/upload/").status_code == 200
        for path in ("/v4/logs/upload/", "/v4/objects/upload/"):
            answer = upload(secret, b"four", path=path)
            assert (answer.status_code, answer["Retry-After"]) == (429, str(3 * 3600))
            assert "3 of 3 texts and objects" in answer.json()["detail"]
            assert "UPLOADS_PER_DAY" in answer.json()["detail"]
        theirs = create_api_key(project=cast.foreign_project, name="theirs").secret
        assert upload(theirs, b"four").status_code == 200
        page = get(f"/projects/{cast.project.pk}/ingest/", person="bo").content.decode()
        assert "3 logs and objects" in page
        assert "At most 3 in a day." in page
        assert "refused until midnight" in page
        clock.move_to(datetime(2026, 11, 24, tzinfo=UTC))
        assert upload(secret, b"four").status_code == 200


def test_a_day_has_a_quota_of_bytes(cast: Cast, secret: str, settings: Any) -> None:
    settings.UPLOAD_BYTES_PER_DAY = 100
    assert upload(secret, b"x" * 90).status_code == 200
    assert upload(secret, b"y" * 11, path="/v4/objects/upload/").status_code == 429
    assert upload(secret, b"z" * 10, path="/v4/objects/upload/").status_code == 200
    assert upload(secret, b"z").status_code == 429
    settings.UPLOAD_BYTES_PER_DAY = settings.UPLOADS_PER_DAY = 0
    assert upload(secret, b"z").status_code == 200


def test_without_room_the_body_is_not_read(
    cast: Cast, secret: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UPLOADS_PER_DAY = 1
    assert upload(secret, b"one").status_code == 200

    def read(*_: Any) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr(WSGIRequest, "read", read)
    assert upload(secret, b"two", path="/v4/objects/upload/").status_code == 429


@pytest.mark.django_db(transaction=True)
def test_parallel_uploads_do_not_pass_the_quota_together(settings: Any) -> None:
    settings.UPLOADS_PER_DAY = 5
    project = make_cast().project

    def stored(number: int) -> bool:
        try:
            add = (
                partial(uploads.add_object, project=project)
                if number % 2
                else partial(uploads.add_to_log, project=project, trace_id="a")
            )
            add(content=str(number).encode())
        except uploads.QuotaReached:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(stored, range(20))) == 5
    assert Upload.objects.count() == 5
