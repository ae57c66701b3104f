"""Texts that cost a careless reader its time, its memory or its stack; what fuzzing and the tests of readers send."""

PRIME = 2**61 - 1  # of Python's hash of numbers: multiples of it collide


def freezing(size: int) -> dict[str, str]:
    """By name: about `size` characters each."""
    return {
        "f-string": f"[f'{'{1}' * (size // 3)}']",
        "comparisons": f"[1{'<1' * (size // 2)}]",
        "attributes of names": f"[a{'.b' * (size // 2)}]",
        "sums": f"[{'1+' * (size // 2)}1]",
        "signs": f"[{'-' * size}1]",
        "calls": f"['a'{'()' * (size // 2)}]",
        "colliding integers": "{" + ", ".join(f"{each * PRIME}: 0" for each in range(1, size // 25)) + "}",
        "colliding set": "{" + ", ".join(str(each * PRIME) for each in range(1, size // 23)) + "}",
        "colliding tuples": "{" + ", ".join(f"({each * PRIME},): 0" for each in range(1, size // 28)) + "}",
        "colliding floats": "{" + ", ".join(f"{PRIME * 2.0**n:.1f}: 0" for n in range(min(size // 40, 900))) + "}",
        "lists": "[" + "[]," * (size // 3) + "]",
        "dicts": "[" + "{'':0}," * (size // 7) + "]",
        "open brackets": "[" * size,
        "open strings": "['" + "\\\\" * (size // 2),
        "quotes": "'\"" * (size // 2),
        "strings side by side": "[" + "'a' " * (size // 4) + "]",
        "escapes": "['" + "\\x41" * (size // 4) + "']",
        "halves of pairs": "['" + "\\ud83e" * (size // 6) + "']",
        "halves of pairs in JSON": '["' + "\\ud83e" * (size // 6) + '"]',
        "digits": f"[{'9' * size}]",
        "digits behind a point": f"[1.{'9' * size}, None]",
        "hexadecimal digits": f"[0x{'f' * size}]",
        "underscores": f"[1{'_1' * (size // 2)}]",
        "exponent": f"[1e{'9' * size}]",
        "blanks": "[" + " " * size + "None",
        "JSON lists": "[" + "[]," * (size // 3) + "[]]",
        "JSON integers": "[" + "12345678901234567890," * (size // 21) + "1]",
        "JSON objects": "[" + '{"":0},' * (size // 7) + "{}]",
    }


def deep(depth: int) -> dict[str, str]:
    """By name: nested `depth` times."""
    return {
        "lists": "[" * depth + "]" * depth,
        "tuples": "(" * depth + "1," + ")," * (depth - 1) + ")",
        "objects": '{"a":' * depth + "1" + "}" * depth,
        "dicts": "{'a':" * depth + "None" + "}" * depth,
        "messages": '{"message":' * depth + '{"role":"user","content":"hi"}' + "}" * depth,
        "message contents": '[{"message_content":' * depth + '{"type":"text","text":"hi"}' + "}]" * depth,
        "wrapped messages": '{"messages":[' * depth + "]}" * depth,
        "tool calls": '{"function":' * depth + '{"name":"f"}' + "}" * depth,
        "sums of lists": '{"input":[' * depth + "]}" * depth,
    }
