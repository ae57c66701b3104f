"""Figures as people read them."""

from decimal import Decimal

import pytest
from django.utils import translation

from agentops_portal import formats

MS, S, M, H = 10**6, 10**9, 60 * 10**9, 3600 * 10**9


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0 s"),
        (840, "840 ns"),
        (12_800, "12.8 µs"),
        (999_400, "999 µs"),
        (999_600, "1.00 ms"),
        (12_345_678, "12.3 ms"),
        (598 * MS, "598 ms"),
        (999_600_000, "1.00 s"),
        (3_049_000_000, "3.05 s"),
        (59_940_000_000, "59.9 s"),
        (59_960_000_000, "1 m 00 s"),
        (4 * M + 5 * S, "4 m 05 s"),
        (59 * M + 59 * S, "59 m 59 s"),
        (H - 1, "1 h 00 m"),
        (26 * H + 10 * M, "26 h 10 m"),
    ],
)
def test_durations(nanoseconds: int, text: str) -> None:
    with translation.override("en"):
        assert formats.duration(nanoseconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0"),
        ("0.00000645", "$0.0000065"),
        ("0.0000159", "$0.000016"),
        ("0.0099", "$0.0099"),
        ("0.01", "$0.01"),
        ("12.345", "$12.35"),
        ("1234567.891", "$1,234,567.89"),
    ],
)
def test_dollars(amount: str, text: str) -> None:
    with translation.override("en"):
        assert formats.dollars(Decimal(amount)) == text
