"""The price book as a file, CSV or JSON: a row for each entry, a column for each kind of rate."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tablib  # type: ignore[import-untyped]
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Result
from import_export.widgets import CharWidget, DateTimeWidget, DecimalWidget, ForeignKeyWidget, IntegerWidget

from projects.models import Organization

from .kinds import KINDS
from .models import ModelPrice, Source

_NAMES = (
    "organization",
    "provider",
    "model",
    "context_over",
    "valid_from",
    "valid_until",
    "discount",
    "note",
    "source",
)


class _RateField(Field):
    """One of an entry's rates; empty: it has none of that kind."""

    def get_value(self, instance: Any) -> str:
        return str((instance.rates or {}).get(self.column_name, ""))

    def save(self, instance: Any, row: Mapping[str, Any], is_m2m: bool = False, **kwargs: Any) -> None:
        rate = str(row.get(str(self.column_name)) or "").strip()
        others = {kind: each for kind, each in (instance.rates or {}).items() if kind != self.column_name}
        instance.rates = others | ({self.column_name: rate} if rate else {})


_MOMENT = DateTimeWidget("%Y-%m-%dT%H:%M:%S%z")


class ModelPriceResource(ModelResource):
    """What an entry is for. An entry for the same, at the same time, is changed and not doubled."""

    organization = Field("organization", "organization", ForeignKeyWidget(Organization, "id"))
    provider = Field("provider", "provider", CharWidget(allow_blank=True))
    model = Field("model", "model", CharWidget(allow_blank=True))
    context_over = Field("context_over", "context_over", IntegerWidget(), default=0)
    valid_from = Field("valid_from", "valid_from", _MOMENT)
    valid_until = Field("valid_until", "valid_until", _MOMENT)
    discount = Field("discount", "discount", DecimalWidget())
    note = Field("note", "note", CharWidget(allow_blank=True))
    source = Field("source", "source", readonly=True)
    for kind in KINDS:
        locals()[kind] = _RateField("rates", kind, CharWidget())
    del kind

    class Meta:
        model = ModelPrice
        fields = (*_NAMES, *KINDS)
        import_id_fields = ("organization", "provider", "model", "context_over", "valid_from")
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        for name in self._meta.import_id_fields:
            if name not in (dataset.headers or []):
                dataset.append_col([""] * len(dataset), header=name)

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for name in ("provider", "model"):
            row[name] = str(row.get(name) or "").strip().lower()

    def skip_row(
        self,
        instance: ModelPrice,
        original: ModelPrice,
        row: dict[str, Any],
        import_validation_errors: dict[str, Any] | None = None,
    ) -> bool:
        # What the package says it says again by itself; here it would look as if a person had.
        is_of_package = row.get("source") == Source.PACKAGE
        return is_of_package or super().skip_row(instance, original, row, import_validation_errors)

    def before_save_instance(self, instance: ModelPrice, row: dict[str, Any], **kwargs: Any) -> None:
        instance.source, instance.source_version = Source.IMPORT, ""


@dataclass(frozen=True)
class Read:
    """What came of a file; faults: a sentence for each, with the number of its row."""

    new: int
    changed: int
    same: int
    faults: tuple[str, ...]


def write_file(path: Path) -> int:
    """Write the entries that people made; gives their number. Raises ValueError for another ending than .csv, .json."""
    dataset = ModelPriceResource().export(ModelPrice.objects.exclude(source=Source.PACKAGE))
    path.write_text(dataset.export(_format(path)), encoding="utf-8")
    return len(dataset)


def read_file(path: Path, dry_run: bool) -> Read:
    """Read entries; all or, where one has a fault, none. Raises ValueError for another ending than .csv, .json."""
    kind, text = _format(path), path.read_text(encoding="utf-8-sig")
    try:
        dataset = tablib.Dataset().load(_even(text) if kind == "json" else text, format=kind)
    except (tablib.InvalidDimensions, ValueError, AttributeError):
        return Read(0, 0, 0, (f"{path.name} is no table of entries.",))
    result = ModelPriceResource().import_data(dataset, dry_run=dry_run, rollback_on_validation_errors=True)
    totals = result.totals
    return Read(totals["new"], totals["update"], totals["skip"], tuple(_faults(result)))


def _even(text: str) -> str:
    """JSON in which each entry has all columns: whoever writes it leaves out what is empty."""
    rows = json.loads(text)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return json.dumps([{name: row.get(name, "") for name in names} for row in rows])


def _format(path: Path) -> str:
    ending = path.suffix.lower().removeprefix(".")
    if ending not in ("csv", "json"):
        raise ValueError(f"{path.name}: the name of the file must end in .csv or .json.")
    return ending


def _faults(result: Result) -> Iterator[str]:
    yield from (str(error.error) for error in result.base_errors)
    for number, errors in result.row_errors():
        yield from (f"Row {number}: {error.error}" for error in errors)
    for row in result.invalid_rows:
        yield f"Row {row.number}: {'; '.join(row.error.messages)}"
