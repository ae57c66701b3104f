"""Numbers and checksums are worked out by hand, or the issuers' own examples."""

import time

import pytest

from guardrails.enforcement.content import Allowed, Compiled, look_at, mask
from guardrails.enforcement.finding.entities import Entity, finder_of
from guardrails.enforcement.finding.hits import Hit
from guardrails.enforcement.finding.patterns import keywords, regex
from guardrails.enforcement.finding.personal import MOST_PIECES
from guardrails.enforcement.json_texts import rewritten, with_calls, with_strings
from guardrails.enforcement.models import Rule, Way

FOUND = [
    (Entity.EMAIL, "ask kim.min-su+x@mail.example.co.kr now", ["kim.min-su+x@mail.example.co.kr"]),
    (Entity.EMAIL, "메일은 a@b.com으로", ["a@b.com"]),
    (Entity.EMAIL, "_kim@example.com_ 홍길동@example.com", ["_kim@example.com", "홍길동@example.com"]),
    (Entity.EMAIL, "a..b@c.com user@localhost @all", []),
    (Entity.PHONE, "010-1234-5678 또는 02-312-3456", ["010-1234-5678", "02-312-3456"]),
    (Entity.PHONE, "+1 650-253-0000, +82 10 9876 5432", ["+1 650-253-0000", "+82 10 9876 5432"]),
    (Entity.PHONE, "on 2026-11-28 at 12:30 order 000-0000-0000", []),
    # 9·2+0·3+0·4+1·5+0·6+1·7+1·8+2·9+3·2+4·3+5·4+6·5 = 124, 124 mod 11 = 3, 11 - 3 = 8
    (Entity.KR_RRN, "주민번호 900101-1234568입니다", ["900101-1234568"]),
    (Entity.KR_RRN, "9001011234568", ["9001011234568"]),
    (Entity.KR_RRN, "9001011234567", []),  # in a row, and the checksum is wrong
    (Entity.KR_RRN, "900101-1234567", ["900101-1234567"]),  # written as one: perhaps issued since 2020
    (Entity.KR_RRN, "2011053234567", ["2011053234567"]),  # born on 2020-11-05: has no checksum
    (Entity.KR_RRN, "901301-1234568 900230-1234568", []),  # no such month, no such day
    # 124 + (5-1)·8 = 156, 156 mod 11 = 2, 13 - 2 = 11, mod 10 = 1
    (Entity.KR_FRN, "9001015234561", ["9001015234561"]),
    (Entity.KR_FRN, "9001015234569 900101-1234568", []),
    # 1·1+2·3+4·7+8·1+1·3+0·7+0·1+9·3+9·5 = 118, + 9·5 div 10 = 4: 122, 10 - 2 = 8
    (Entity.KR_BRN, "사업자 124-81-00998", ["124-81-00998"]),
    (Entity.KR_BRN, "124-81-00997", []),
    (Entity.CARD, "4111 1111 1111 1111, 378282246310005", ["4111 1111 1111 1111", "378282246310005"]),
    (Entity.CARD, "4111 1111 1111 1112 9111111111111111", []),
    (Entity.CARD, "4111 1111 1111 1111 12/27 123", ["4111 1111 1111 1111"]),
    (Entity.CARD, "5 4111 1111 1111 1111 010-1234-5678", ["4111 1111 1111 1111"]),
    (Entity.CARD, "_4111 1111 1111 1111_ 4111  1111  1111  1111", ["4111 1111 1111 1111", "4111  1111  1111  1111"]),
    (Entity.CARD, "4111\n1111\n1111\n1111 4111.1111.1111.1111", ["4111\n1111\n1111\n1111", "4111.1111.1111.1111"]),
    (Entity.CARD, "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 x4111111111111111", []),
    (Entity.IBAN, "pay DE89 3704 0044 0532 0130 00 SOON", ["DE89 3704 0044 0532 0130 00"]),
    (Entity.IBAN, "GB82WEST12345698765432", ["GB82WEST12345698765432"]),
    (Entity.IBAN, "GB82WEST12345698765431", []),
    (Entity.IBAN, "DE89 3704 0044 0532 0130 00 Thanks", ["DE89 3704 0044 0532 0130 00"]),
    (
        Entity.IBAN,
        "DE89370400440532013000 Please de89370400440532013000",
        ["DE89370400440532013000", "de89370400440532013000"],
    ),
    (
        Entity.IBAN,
        "DE89370400440532013000 GB82WEST12345698765432",
        ["DE89370400440532013000", "GB82WEST12345698765432"],
    ),
    (Entity.PASSPORT, "passport no. M12345678, 여권번호: M123A4567", ["M12345678", "M123A4567"]),
    (
        Entity.PASSPORT,
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        ["L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
    ),
    (Entity.PASSPORT, "order M12345678 L898902C37UTO7408122F1204159ZE184226B<<<<<10", []),
    (Entity.IP, "from 192.168.0.10 and 2001:db8::1 in v1.2.3 at 12:30:59", ["192.168.0.10", "2001:db8::1"]),
    (Entity.IP, "999.1.1.1 1.2.3.4.5 face::add", []),
    (
        Entity.SECRET,
        "key sk-abcdefghijklmnopqrstuvwx, AKIAIOSFODNN7EXAMPLE",
        ["sk-abcdefghijklmnopqrstuvwx", "AKIAIOSFODNN7EXAMPLE"],
    ),
    (
        Entity.SECRET,
        "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb",
        ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"],
    ),
    (Entity.SECRET, "postgres://app:s3cret@db.example.com/x", ["postgres://app:s3cret@"]),
    (Entity.EMAIL, "postgres://app:s3cret@db.example.com/x mail.to@example.com", ["mail.to@example.com"]),
    (Entity.SECRET, "task-abcdefghijklmnopqrstuvwxyz risk-free sk-short", []),
]


@pytest.mark.parametrize(("entity", "text", "expected"), FOUND)
def test_what_is_found(entity: str, text: str, expected: list[str]) -> None:
    assert [text[hit.start : hit.end] for hit in finder_of(entity, "KR")(text)] == expected


def test_words_are_whole_in_latin_and_within_in_korean() -> None:
    find = keywords("Falcon\n팔콘 계획\nC++", "WORD")

    text = "FALCON falcons 팔콘 계획을 C++ (a+b) 팔콘\n계획"
    assert [text[hit.start : hit.end] for hit in find(text)] == ["FALCON", "팔콘 계획", "C++", "팔콘\n계획"]


def test_masks_that_overlap_are_one_and_leave_nothing() -> None:
    text = "x 0123456789 y"

    assert mask(text, [Hit(4, 8, "INNER"), Hit(2, 6, "FIRST"), Hit(3, 12, "LONG")]) == "x <LONG> y"
    assert mask(text, [Hit(2, 5, "A"), Hit(5, 8, "B")]) == "x <A><B>6789 y"
    assert mask(text, [Hit(2, 6, "A"), Hit(2, 6, "B")]) == "x <A>456789 y"


def test_json_stays_json_and_messages_keep_their_form() -> None:
    def look(text: str) -> str:
        return text.replace("4111111111111111", "<CARD>")

    assert with_strings('{"card": 4111111111111111, "n": [1, null, "to 4111111111111111"]}', look) == (
        '{"card":"<CARD>","n":[1,null,"to <CARD>"]}'
    )
    assert with_strings('{"a":  1}', look) == '{"a":  1}'
    # Twice the same name, a number that no double holds, names that are masked alike: nothing else changes.
    assert with_strings('{"x":"4111111111111111","x":"ok"}', look) == '{"x":"<CARD>","x":"ok"}'
    assert with_strings("[12345678901234567890123, 4111111111111111]", look) == '[12345678901234567890123,"<CARD>"]'
    alike = '{"a 4111111111111111":1,"b":2,"a 4111111111111111 ":3}'
    assert with_strings(alike, lambda text: look(text).strip()) == '{"a <CARD>":1,"b":2,"a <CARD> 2":3}'
    for deep in ('{"a":' * 500 + '"4111111111111111"' + "}" * 500, "[" * 900 + "4111111111111111" + "]" * 900):
        assert with_strings(deep, look) == deep.replace("4111111111111111", "<CARD>")
    call = {"id": "c1", "type": "function", "function": {"name": "pay", "arguments": '{"card":"4111111111111111"}'}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "4111111111111111"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    assert rewritten(messages, look) == [
        {"role": "user", "content": [{"type": "text", "text": "<CARD>"}, {"type": "image_url"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [call | {"function": {"name": "pay", "arguments": '{"card":"<CARD>"}'}}],
        },
    ]


def test_a_name_says_what_its_value_is_and_objects_are_looked_through() -> None:
    def look(text: str) -> str:
        return mask(text, list(finder_of(Entity.PASSPORT, "KR")(text)))

    assert with_strings('{"passport": "M12345678", "order": "M12345678"}', look) == (
        '{"passport":"<PASSPORT>","order":"M12345678"}'
    )
    calls = [{"function": {"arguments": {"passport": "M12345678"}}}, {"custom": {"input": "passport M12345678"}}]
    assert with_calls(calls, look) == [
        {"function": {"arguments": {"passport": "<PASSPORT>"}}},
        {"custom": {"input": "passport <PASSPORT>"}},
    ]


def test_wide_digits_are_digits() -> None:
    rule = Compiled.of(Rule(entities=["card"]))

    assert [(hit.start, hit.end) for hit in rule.find("카드 ４１１１１１１１１１１１１１１１")] == [(3, 19)]


def test_what_nobody_sees_hides_nothing() -> None:
    text = "top\u200bsec\u200dret and 4111\u2060 1111 1111 11\u00ad11 x"
    word, card = Compiled.of(Rule(way=Way.KEYWORDS, pattern="topsecret")), Compiled.of(Rule(entities=["card"]))

    assert [text[hit.start : hit.end] for rule in (word, card) for hit in rule.find(text)] == [
        "top\u200bsec\u200dret",
        "4111\u2060 1111 1111 11\u00ad11",
    ]


def test_what_a_rule_allows_the_rules_below_do_not_find() -> None:
    allowed = Allowed()
    allowed.add([Hit(10, 20, "A"), Hit(0, 4, "A")])
    allowed.add([Hit(2, 30, "B")])

    within = [(0, 4), (2, 5), (12, 30), (10, 20), (0, 5), (29, 31), (31, 32)]
    assert [allowed.hold(Hit(start, end, "C")) for start, end in within] == [
        True,
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_more_numbers_than_anybody_writes_are_all_taken_for_phones() -> None:
    rule = Compiled.of(Rule(entities=["phone"], action="mask"))
    lines = [f"{number:010d}" for number in range(0, 3_000_000, 1_000)]
    assert len(lines) > MOST_PIECES

    assert look_at([rule], "input", lines).look(lines[-1]) == "<PHONE>"
    assert look_at([rule], "input", lines[-1:]).look(lines[-1]) == lines[-1]


NASTY = {
    "digits": "1-" * 50_000,
    "no address": "a" * 100_000 + "@",
    "dots": "a." * 50_000,
    "brackets": "(((" * 33_000,
    "open keys": "-----BEGIN PRIVATE KEY-----" * 3_700,
    "accounts": "DE89 " * 20_000,
    "colons": "1:" * 50_000,
    "passports": "passport " * 11_000,
    "phones": "010-1234-5678 " * 7_000,
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_nasty_texts_take_linear_time(text: str) -> None:
    """100,000 characters; ten times as many take ten times as long, not a hundred."""

    def seconds(what: str) -> float:
        began = time.process_time()
        for entity in Entity.values:
            list(finder_of(entity, "KR")(what))
        list(regex("(a+)+$", "X")(what))
        return time.process_time() - began

    short = seconds(text[: len(text) // 10])
    assert seconds(text) < 40 * short + 0.2
