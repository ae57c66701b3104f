"""The text of a cursor: read as it was written, and nothing else."""

from base64 import urlsafe_b64encode

import pytest

from agentops_portal.api.paging import KeyCursor

parse = KeyCursor.parser(int, str)


@pytest.mark.parametrize("values", [(0, ""), (2**63 - 1, "한국어 / ü ? & =")])
def test_what_was_written_is_read(values: tuple[int, str]) -> None:
    text = str(KeyCursor(values))

    assert parse(text) == KeyCursor(values)
    assert text.isascii()
    assert not set(text) & set("+/=&?")


@pytest.mark.parametrize(
    "json",
    [
        "[1]",
        '[1,"a",2]',
        '["1","a"]',
        "[1,2]",
        '[true,"a"]',
        '[-1,"a"]',
        '[9223372036854775808,"a"]',
        '[1.0,"a"]',
        '[1,"a\\u0000"]',
        '[1,"\\ud800"]',
        '{"1":"a"}',
        "null",
        "",
        "[",
    ],
)
def test_anything_else_is_refused(json: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(urlsafe_b64encode(json.encode()).decode().rstrip("="))


@pytest.mark.parametrize("text", ["", "a", "é", "%%%", "WzEsImEiXQ" * 10_000])
def test_what_is_no_base64_of_a_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)
