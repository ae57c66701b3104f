"""One report in every form: the same figures, and no text of strangers that is more than text."""

import csv
import io
import json

import pypdfium2
import pytest
from openpyxl import load_workbook

from guardrails.reports.contents import figures_of
from guardrails.reports.models import Format
from guardrails.reports.rendering.document import percent, signed_percent
from guardrails.reports.rendering.files import HTML, MAX_HTML, TEXT, files_of
from tests.cast import Cast

from .world import MONDAY, weekly

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_every_form_has_the_same_figures(cast: Cast) -> None:
    schedule = weekly(cast.organization, cast.project)
    figures = figures_of(schedule, schedule.rhythm.period_at(MONDAY))

    drawn = files_of(figures, "http://localhost/r/", [HTML, TEXT, *Format.values], "ko")

    files = {file.kind: file.content for file in drawn}
    assert {file.name for file in drawn} == {f"weekly-2026-11-16.{kind}" for kind in files}
    said = "가드레일이 검사 6건 중 3건을 차단했습니다(50.0 %). 이전보다 200 % 늘었습니다."
    pages = pypdfium2.PdfDocument(files[Format.PDF])
    printed = "".join(page.get_textpage().get_text_bounded() for page in pages)
    assert pages.get_metadata_dict()["Title"].startswith("Weekly")
    assert said.replace(" ", "") in "".join(printed.split())
    assert said in files[HTML].decode()
    assert said in files[TEXT].decode()
    assert json.loads(files[Format.JSON]) == figures
    check_spreadsheet(files[Format.XLSX], said)
    check_csv(files[Format.CSV].decode(), said)


def check_spreadsheet(content: bytes, said: str) -> None:
    book = load_workbook(io.BytesIO(content))
    overview = book.worksheets[0]
    assert said in [cell.value for cell in overview["A"]]
    figures = [(row[0].value, row[1].value, row[2].value) for row in overview.iter_rows(max_col=3)]
    assert {("차단", 3, 1), ("검사", 6, 2), ("비용", 0.75, 1)} <= set(figures)
    by_guardrail = book["가드레일별"]
    rows = [[cell.value for cell in row] for row in by_guardrail.iter_rows(min_row=2)]
    assert rows[0][:4] == ["pii", "pre_call", 4, 2]
    assert by_guardrail.cell(2, 3).number_format == "#,##0"
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"n", "s"}  # no formula


def check_csv(text: str, said: str) -> None:
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert text.startswith("\ufeff")
    assert [said] in rows
    assert ["차단", "3", "1"] in rows
    assert any(row[:4] == ["pii", "pre_call", "4", "2"] for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_a_huge_report_fits_an_e_mail(cast: Cast) -> None:
    schedule = weekly(cast.organization, cast.project)
    figures = figures_of(schedule, schedule.rhythm.period_at(MONDAY))
    long = "가나다 <b>🎉\u202e" * 1_000
    row = {**figures["guardrails"][0], "guardrail": long, "mode": long}
    place = {**figures["places"][0], "name": long}
    huge = {
        **figures,
        "name": long[:120],
        "guardrails": [row] * 20,
        "places": [{**place, "place": kind} for kind in ("model", "agent", "user") for _ in range(20)],
        "unseen": [{**place, "place": "model", "unseen": 9}] * 40,
        "silent": [{**row, "runs_before": 1}] * 20,
        "models": [{**figures["models"][0], "model": long}] * 20,
    }

    html, book = files_of(huge, "http://localhost/r/", [HTML, Format.XLSX], "en")

    assert len(html.content) <= MAX_HTML
    assert "\u202e" not in html.content.decode()
    assert "The report on the web has all rows." in html.content.decode()
    assert len(load_workbook(io.BytesIO(book.content)).sheetnames[0].encode("utf-16-le")) <= 2 * 31  # as Excel counts


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0, "0 %"),
        (0.0001, "< 0.1 %"),
        (0.0069, "0.7 %"),
        (0.1875, "18.8 %"),
        (0.0123, "1.2 %"),
        (0.5, "50.0 %"),
        (0.9999, "> 99.9 %"),
        (1, "100 %"),
    ],
)
def test_what_happened_is_never_nothing_and_what_did_not_never_all(ratio: float, text: str) -> None:
    assert percent(ratio) == text


@pytest.mark.parametrize(("change", "text"), [(0.2, "+20 %"), (-1, "−100 %"), (0.001, "±0 %"), (12.0, "+1,200 %")])
def test_changes_have_their_sign(change: float, text: str) -> None:
    assert signed_percent(change) == text
