"""Texts that cost a careless reader its time, its memory or its stack; what fuzzing and the tests of readers send."""

from collections.abc import Callable, Mapping

PRIME = 2**61 - 1  # of Python's hash of numbers: multiples of it collide


# By name, of about so many characters.
FREEZING: Mapping[str, Callable[[int], str]] = {
    "f-string": lambda size: f"[f'{'{1}' * (size // 3)}']",
    "comparisons": lambda size: f"[1{'<1' * (size // 2)}]",
    "attributes of names": lambda size: f"[a{'.b' * (size // 2)}]",
    "sums": lambda size: f"[{'1+' * (size // 2)}1]",
    "signs": lambda size: f"[{'-' * size}1]",
    "calls": lambda size: f"['a'{'()' * (size // 2)}]",
    "colliding integers": lambda size: "{" + ", ".join(f"{each * PRIME}: 0" for each in range(1, size // 25)) + "}",
    "colliding set": lambda size: "{" + ", ".join(str(each * PRIME) for each in range(1, size // 23)) + "}",
    "colliding tuples": lambda size: "{" + ", ".join(f"({each * PRIME},): 0" for each in range(1, size // 28)) + "}",
    "colliding floats": lambda size: (
        "{" + ", ".join(f"{PRIME * 2.0**n:.1f}: 0" for n in range(min(size // 40, 900))) + "}"
    ),
    "lists": lambda size: "[" + "[]," * (size // 3) + "]",
    "dicts": lambda size: "[" + "{'':0}," * (size // 7) + "]",
    "open brackets": lambda size: "[" * size,
    "open strings": lambda size: "['" + "\\\\" * (size // 2),
    "quotes": lambda size: "'\"" * (size // 2),
    "strings side by side": lambda size: "[" + "'a' " * (size // 4) + "]",
    "escapes": lambda size: "['" + "\\x41" * (size // 4) + "']",
    "halves of pairs": lambda size: "['" + "\\ud83e" * (size // 6) + "']",
    "halves of pairs in JSON": lambda size: '["' + "\\ud83e" * (size // 6) + '"]',
    "digits": lambda size: f"[{'9' * size}]",
    "digits behind a point": lambda size: f"[1.{'9' * size}, None]",
    "hexadecimal digits": lambda size: f"[0x{'f' * size}]",
    "underscores": lambda size: f"[1{'_1' * (size // 2)}]",
    "exponent": lambda size: f"[1e{'9' * size}]",
    "blanks": lambda size: "[" + " " * size + "None",
    "JSON lists": lambda size: "[" + "[]," * (size // 3) + "[]]",
    "JSON integers": lambda size: "[" + "12345678901234567890," * (size // 21) + "1]",
    "JSON objects": lambda size: "[" + '{"":0},' * (size // 7) + "{}]",
}


# By name, nested so often.
DEEP: Mapping[str, Callable[[int], str]] = {
    "lists": lambda depth: "[" * depth + "]" * depth,
    "tuples": lambda depth: "(" * depth + "1," + ")," * (depth - 1) + ")",
    "objects": lambda depth: '{"a":' * depth + "1" + "}" * depth,
    "dicts": lambda depth: "{'a':" * depth + "None" + "}" * depth,
    "messages": lambda depth: '{"message":' * depth + '{"role":"user","content":"hi"}' + "}" * depth,
    "message contents": lambda depth: '[{"message_content":' * depth + '{"type":"text","text":"hi"}' + "}]" * depth,
    "wrapped messages": lambda depth: '{"messages":[' * depth + "]}" * depth,
    "tool calls": lambda depth: '{"function":' * depth + '{"name":"f"}' + "}" * depth,
    "sums of lists": lambda depth: '{"input":[' * depth + "]}" * depth,
}


def freezing(size: int) -> dict[str, str]:
    return {name: make(size) for name, make in FREEZING.items()}


def deep(depth: int) -> dict[str, str]:
    return {name: make(depth) for name, make in DEEP.items()}
