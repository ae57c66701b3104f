"""POST …/export: who gets a file, of what, under which name, and what is wrong when nobody does."""

import csv
import io
import socket
from collections.abc import Iterator
from typing import Any

import orjson
import pypdfium2
import pytest

from projects.models import AuditEvent
from projects.services import create_api_key
from tests.cast import Cast
from tests.kept import give, give_recorded
from tests.pages.spans import Spanlet, request_of

from .sending import send

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

ADDRESS = "/api/monitoring/export"
DAY = {"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"}


@pytest.fixture
def filled(cast: Cast) -> Cast:
    give_recorded(cast.project, "litellm-1.106.2-mixed")
    give_recorded(cast.foreign_project, "agentops-0.4.21-session")
    return cast


def body(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {"project_id": str(cast.project.pk), "format": "json", "date_range": DAY, **changes}


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize("prefix", ["/api/monitoring", "/api/agentops"])
def test_members_and_keys_get_the_projects_traces_under_both_addresses(filled: Cast, prefix: str) -> None:
    key = create_api_key(project=filled.project, name="reader", scopes=["read"]).secret

    for sender in ({"person": "bo"}, {"key": key}):
        answer = send(filled, "POST", f"{prefix}/export", body(filled), **sender)
        file = orjson.loads(content(answer))
        assert (len(file["traces"]), file["complete"]) == (9, True)
        assert answer["Content-Type"] == "application/json"
        assert answer["Content-Disposition"] == 'attachment; filename="traces-alices-agents-20261123-20261124.json"'
        assert "no-store" in answer["Cache-Control"]


def test_a_csv_opens_in_excel(filled: Cast) -> None:
    answer = send(filled, "POST", ADDRESS, body(filled, format="csv", include_spans=True), person="bob")

    text = content(answer)
    assert text.startswith(b"\xef\xbb\xbfrecord,trace_id,")
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    assert [row["record"] for row in rows].count("trace") == 9
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].endswith('.csv"')


def test_spans_and_attributes_come_when_asked_for(filled: Cast) -> None:
    wanted = body(filled, include_spans=True, include_attributes=True)

    file = orjson.loads(content(send(filled, "POST", ADDRESS, wanted, person="bob")))

    assert sum(len(trace["spans"]) for trace in file["traces"]) == 103
    assert all("attributes" in span for trace in file["traces"] for span in trace["spans"])


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-11-23", "2026-11-23", 9),  # a day is all of it
        ("2026-11-22", "2026-11-22", 0),
        ("2026-11-23T09:00:00+09:00", "2026-11-24T09:00:00+09:00", 9),
        (1795392000, 1795478400, 9),
        ("2026-11-24T00:00:00", "2026-11-25T00:00:00", 0),
    ],
)
def test_the_range_is_the_one_that_was_asked_for(filled: Cast, start: Any, end: Any, found: int) -> None:
    wanted = body(filled, date_range={"start": start, "end": end})

    assert len(orjson.loads(content(send(filled, "POST", ADDRESS, wanted, person="bob")))["traces"]) == found


@pytest.fixture
def pango() -> None:
    """What WeasyPrint loads; .ci/browser installs it where it may."""
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        pytest.skip(f"No PDF without Pango: {error}")


@pytest.mark.usefixtures("pango")
def test_a_pdf_tells_totals_models_and_traces_in_the_readers_language(filled: Cast) -> None:
    give(filled.project, request_of({1: [Spanlet("주문 조회 에이전트 똠방각하")]}, 1_795_446_000 * 10**9))
    filled.bob.language, filled.bob.timezone = "ko", "Asia/Seoul"
    filled.bob.save()
    filled.project.name = "고객 지원"
    filled.project.save()

    answer = send(filled, "POST", ADDRESS, body(filled, format="pdf"), person="bob")

    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''traces-%EA%B3%A0")
    file = content(answer)
    pages = pypdfium2.PdfDocument(file)
    text = "\n".join(page.get_textpage().get_text_bounded() for page in pages).replace("\r\n", "\n")
    for words in ("고객 지원", "2026-11-23 09:00", "KST", "트레이스", "gpt-4o-mini", "주문 조회 에이전트 똠방각하"):
        assert words in text
    assert "10" in text.split("트레이스")[2][:20]  # nine recorded and one of our own
    assert "95c31d28b21739cb93431e8f9e5df0a6" in text


@pytest.fixture
def beacon() -> Iterator[socket.socket]:
    """A socket that listens; whoever opens an address of it has connected."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.usefixtures("pango")
def test_a_pdf_opens_no_address(filled: Cast, beacon: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{beacon.getsockname()[1]}"
    name = f'<img src="{address}/beacon"><style>@import url("{address}/css");</style>'
    # Were a template ever to forget its escaping, the printer still opens nothing.
    monkeypatch.setattr("traces.reading.export_pdf.render_to_string", lambda name, context: context["traces"][0].name)
    give(filled.project, request_of({1: [Spanlet(name)]}, 1_795_446_000 * 10**9))

    answer = send(filled, "POST", ADDRESS, body(filled, format="pdf"), person="bob")

    assert content(answer).startswith(b"%PDF")
    with pytest.raises(BlockingIOError):
        beacon.accept()


def test_an_export_is_written_down(filled: Cast) -> None:
    key = create_api_key(project=filled.project, name="reader", scopes=["read"])

    send(filled, "POST", ADDRESS, body(filled), person="bob")
    send(filled, "POST", ADDRESS, body(filled, format="csv"), key=key.secret)

    by_key, by_bob = AuditEvent.objects.filter(action="traces.exported", project=filled.project)
    assert (by_bob.actor, by_bob.target) == (filled.bob, "traces-alices-agents-20261123-20261124.json")
    assert (by_key.actor, by_key.details) == (None, {"by_key": str(key.key.pk)})


def test_others_get_nothing(filled: Cast) -> None:
    theirs = create_api_key(project=filled.foreign_project, name="theirs").secret
    sender_only = create_api_key(project=filled.project, name="sender", scopes=["ingest"]).secret

    assert send(filled, "POST", ADDRESS, body(filled)).status_code == 401
    assert send(filled, "POST", ADDRESS, body(filled), key=sender_only).status_code == 403
    for sender in ({"person": "charlie"}, {"key": theirs}):
        answer = send(filled, "POST", ADDRESS, body(filled), **sender)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Project not found"})


@pytest.mark.parametrize("project_id", ["x", "' OR 1=1 --", "6f1d2c3b-0000-4000-8000-00000000000g", "é" * 50])
def test_what_is_no_project_is_404(cast: Cast, project_id: str) -> None:
    answer = send(cast, "POST", ADDRESS, body(cast, project_id=project_id), person="bob")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"format": "xlsx"}, ["body", "format"]),
        ({"format": None}, ["body", "format"]),
        ({"project_id": "a\x00b"}, ["body", "project_id"]),
        ({"project_id": ["x"]}, ["body", "project_id"]),
        ({"include_spans": "perhaps"}, ["body", "include_spans"]),
        ({"date_range": None}, ["body", "date_range"]),
        ({"date_range": "today"}, ["body", "date_range"]),
        ({"date_range": {"start": "2026-11-23"}}, ["body", "date_range", "end"]),
        ({"date_range": {"start": "yesterday", "end": "2026-11-23"}}, ["body", "date_range", "start"]),
        ({"date_range": {"start": "2026-11-24", "end": "2026-11-22"}}, ["body", "date_range", "end"]),
        ({"date_range": {"start": "2026-11-24", "end": 10**30}}, ["body", "date_range", "end"]),
    ],
)
def test_what_is_wrong_is_named(cast: Cast, changes: dict[str, Any], where: list[str]) -> None:
    answer = send(cast, "POST", ADDRESS, body(cast, **changes), person="bob")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == where


@pytest.mark.parametrize("sent", ["", "{", "[]", "null", '{"project_id": NaN}'])
def test_a_body_that_is_no_object_is_422(cast: Cast, sent: str) -> None:
    assert send(cast, "POST", ADDRESS, sent, person="bob").status_code == 422
