"""Which cells a spreadsheet takes for a formula, and what becomes of them."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.reading.csv_text import csv_line, is_formula

SIGNS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "\ufe62", "\ufe63", "\ufe6b", "\u2212"]
BEFORE = ["", " ", "\t", "\r", "\n", "\r\n", "\ufeff", "\u200b", "\u200d", "\u2060", "\u00a0", "\u3000", "\x00", "\x1f"]


def cells(line: str) -> list[str]:
    [row] = csv.reader(io.StringIO(line, newline=""))
    return row


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", [*BEFORE, "\ufeff \u200b\t"])
def test_a_formula_begins_with_an_apostrophe(before: str, sign: str) -> None:
    text = f"{before}{sign}HYPERLINK(A1)"
    assert cells(csv_line([text, (text, "b"), "a"])) == [f"'{text}", f"'{text}, b", "a"]


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx", "\r\nx"])
def test_so_does_what_begins_with_a_control_character(text: str) -> None:
    assert cells(csv_line([text])) == [f"'{text}"]


@pytest.mark.parametrize(
    "text", ["가나다", "a=1", "1+1", "a\n=1", " x", "\ufeffx", "#incomplete", "", " ", "'=1", "√", "e@x"]
)
def test_all_other_text_stays_as_it_is(text: str) -> None:
    assert not is_formula(text)
    assert cells(csv_line([text, "x"])) == [text, "x"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-1, "-1"),
        (-0.5, "-0.5"),
        (Decimal("-1.50"), "-1.5"),
        (None, ""),
        (Decimal("0E-10"), "0"),
        ([-1], "[-1]"),
        ({}, "{}"),
    ],
)
def test_numbers_are_numbers(value: Any, cell: str) -> None:
    assert cells(csv_line([value])) == [cell]


@given(st.text(st.characters(codec="utf-8")))
def test_no_cell_begins_as_a_formula_whatever_it_holds(text: str) -> None:
    [cell] = cells(csv_line([text])) or [""]
    assert cell in (text, f"'{text}")
    assert not is_formula(cell)
