"""Rows of CSV files (RFC 4180) that a spreadsheet opens as what they are: text, numbers, no formulas."""

import csv
import io
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import orjson

BYTE_ORDER_MARK: Final = "\ufeff"

# https://owasp.org/www-community/attacks/CSV_Injection
_STARTS: Final = frozenset("=+-@\N{MINUS SIGN}")
_CONTROL_STARTS: Final = ("\t", "\r", "\n")


def csv_line(cells: Iterable[Any]) -> str:
    """One row: nothing for None, every digit of a Decimal, names of a tuple with commas, JSON for lists and dicts."""
    out = io.StringIO()
    csv.writer(out).writerow(map(_cell, cells))
    return out.getvalue()


def json_text(value: Any) -> str:
    """JSON in which a Decimal is a number with every digit that it has."""
    return orjson.dumps(value, default=_plain).decode()


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may run the text: it skips blanks and what nobody sees, and East Asian versions take the
    full-width signs for the usual ones, as Unicode's compatibility forms do.
    """
    if text.startswith(_CONTROL_STARTS):
        return True
    first = next((each for each in text if not _is_skipped(each)), "")
    return unicodedata.normalize("NFKC", first)[:1] in _STARTS if first else False


def _is_skipped(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Cc", "Cf", "Zs", "Zl", "Zp"}


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, list | dict | tuple):
        value = ", ".join(value) if isinstance(value, tuple) else json_text(value)
    return f"'{value}" if isinstance(value, str) and is_formula(value) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(_decimal(value))
    raise TypeError(f"{type(value).__name__} has no place in an export.")


def _decimal(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
