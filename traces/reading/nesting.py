"""Attributes as AgentOps' API nests them: `gen_ai.prompt.0.role` becomes `{"gen_ai": {"prompt": [{"role": …}]}}`.

Values stay texts, whatever they denote. The order in which attributes arrived makes no difference, and none is lost:

- Numbers from 0 on are positions in a list; positions that nobody fills are null. Inside a list, numbers are positions
  also when 0 is missing.
- Other numbers are names: `a.10` alone is `{"a": {"10": …}}`.
- What finds no place, because a shorter key holds a text there or names and positions meet, stands at the top under
  its whole dotted key.
- `gen_ai.prompt` as a text, as older clients write it, is one message of the user.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# A list of more unfilled positions is shown as an object: "a.0" and "a.999999999" are two values, not a billion.
MAX_HOLES = 100
# Keys of more parts stay as they are: what reads JSON gives up on depth.
MAX_PARTS = 64


def nested(attributes: Mapping[str, str]) -> dict[str, Any]:
    """The attributes as one object."""
    tree: dict[str, Any] = {}
    dotted: dict[str, Any] = {}
    for key in sorted(attributes):
        *folders, name = key.split(".")
        if len(folders) >= MAX_PARTS or _is_below_a_text(key, attributes):
            dotted[key] = attributes[key]
            continue
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        node[name] = attributes[key]
    result = {name: _shaped(value, name, dotted) for name, value in tree.items()} | dotted
    _read_old_prompt(result)
    return result


def _is_below_a_text(key: str, attributes: Mapping[str, str]) -> bool:
    """Whether one of the key's folders is the whole key of another attribute."""
    dot = key.find(".")
    while dot >= 0:
        if key[:dot] in attributes:
            return True
        dot = key.find(".", dot + 1)
    return False


def _shaped(node: Any, path: str, dotted: dict[str, Any], *, in_list: bool = False) -> Any:
    """A folder of the tree as a list or an object; what fits into neither is added to `dotted`."""
    if not isinstance(node, dict):
        return node
    positions = sorted(int(name) for name in node if _is_position(name))
    if not _is_list(positions, len(node), in_list):
        return {name: _shaped(value, f"{path}.{name}", dotted) for name, value in node.items()}
    for name, value in node.items():
        if not _is_position(name):
            dotted.update(_flat(value, f"{path}.{name}"))
    filled: list[Any] = [None] * (positions[-1] + 1)
    for position in positions:
        filled[position] = _shaped(node[str(position)], f"{path}.{position}", dotted, in_list=True)
    return filled


def _is_position(name: str) -> bool:
    """A number as Python writes it: "01" is a name, for "1" may stand beside it."""
    return name.isascii() and name.isdigit() and len(name) < 10 and (name == "0" or name[0] != "0")


def _is_list(positions: list[int], names: int, in_list: bool) -> bool:
    if not positions or positions[-1] + 1 - len(positions) > MAX_HOLES:
        return False
    return positions[0] == 0 or (in_list and names == len(positions))


def _flat(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(node, dict):
        yield path, node
        return
    for name, value in node.items():
        yield from _flat(value, f"{path}.{name}")


def _read_old_prompt(result: dict[str, Any]) -> None:
    group = result.get("gen_ai")
    if isinstance(group, dict) and isinstance(group.get("prompt"), str):
        group["prompt"] = [{"content": group["prompt"], "role": "user"}]
