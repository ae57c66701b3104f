"""The price book as a file: out, changed in a spreadsheet, and in again."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from projects.models import Organization
from tests.cast import make_cast
from traces.store.prices.models import ModelPrice, Source

LIST = "/admin/traces/modelprice/"

pytestmark = pytest.mark.django_db


def prices(*arguments: str) -> str:
    out = StringIO()
    call_command("prices", *arguments, stdout=out)
    return out.getvalue()


def test_out_changed_and_in_again(tmp_path: Path) -> None:
    acme = Organization.objects.create(name="Acme")
    ModelPrice.objects.create(model="brain-1", rates={"input": "0.1", "output": "2.50"}, note="=cmd()")
    ModelPrice.objects.create(model="brain-2", organization=acme, rates={"seconds": "0.0001"}, context_over=5)
    ModelPrice.objects.create(model="of-package", rates={"input": "1"}, source=Source.PACKAGE)
    for name in ("book.csv", "book.json"):
        file = tmp_path / name
        assert prices("--export", str(file)) == f"2 entries are in {file}.\n"
        assert prices("--import", str(file)).startswith("0 entries are new, 0 changed, 2 left as they are.")

    rows = json.loads((tmp_path / "book.json").read_text())
    rows[0] |= {"input": "0.2", "output": ""}
    rows.append({"model": " Brain-3 ", "provider": "OpenAI", "requests": "0.01"})
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(rows))
    assert prices("--import", str(changed), "--dry-run").startswith("1 entries would be new, 1 changed, 1 left")
    assert ModelPrice.objects.get(model="brain-1").rates == {"input": "0.1", "output": "2.50"}
    assert prices("--import", str(changed)).startswith("1 entries are new, 1 changed, 1 left")

    first, third = (ModelPrice.objects.get(model=f"brain-{number}") for number in (1, 3))
    assert (first.rates, first.source) == ({"input": "0.2"}, Source.IMPORT)
    assert (third.provider, third.rates, third.context_over) == ("openai", {"requests": "0.01"}, 0)


def test_a_file_with_faults_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "book.csv"
    file.write_text(
        "model,input,valid_from,organization\nfine,1,,\nfree,cheap,,\nnobody,1,,11111111-1111-1111-1111-111111111111\n"
        "early,1,yesterday,\nnothing,,,\n"
    )

    with pytest.raises(CommandError) as failure:
        prices("--import", str(file))

    text = str(failure.value)
    assert "Row 2: input: cheap is not an amount in dollars." in text
    assert all(f"Row {number}: " in text for number in (2, 3, 4, 5))
    assert "Row 1: " not in text
    assert not ModelPrice.objects.filter(model="fine").exists()
    with pytest.raises(CommandError, match=r"must end in \.csv or \.json"):
        prices("--import", str(tmp_path / "book.xls"))


def test_in_the_administration() -> None:
    cast, root = make_cast(), Client()
    root.force_login(cast.root)
    ModelPrice.objects.create(model="brain-1", rates={"input": "0.1"}, note="=cmd()")

    out = root.post(f"{LIST}export/", {"format": "0", "resource": "", **_all_columns()}).content.decode()
    assert "brain-1" in out
    assert "=cmd" not in out
    upload = SimpleUploadedFile("prices.csv", b"model,input\nbrain-1,0.2\nbrain-2,<script>\n", "text/csv")
    look = root.post(f"{LIST}import/", {"format": "0", "import_file": upload}).content.decode()
    assert "&lt;script&gt; is not an amount in dollars" in look
    assert ModelPrice.objects.get(model="brain-1").rates == {"input": "0.1"}
    staff = Client()
    staff.force_login(cast.alice)
    assert staff.get(f"{LIST}import/").status_code in (302, 403)


def _all_columns() -> dict[str, str]:
    return {f"modelpriceresource_{name}": "on" for name in ("model", "note", "input")}
