"""Counts in the text of an object: {"input": 10, "input_cache_read": 4}, {'prompt_tokens': 10, 'prompt_tokens_details':
{'cached_tokens': 4}}. JSON or Python's repr, flat or nested, of providers as well as of clients that rename it.
"""

from collections.abc import Mapping

# What is counted → its names.
NAMES: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("input", "prompt_tokens", "input_tokens", "inputTokens", "promptTokens", "prompt_token_count"),
    "output_tokens": (
        *("output", "completion_tokens", "output_tokens", "outputTokens", "completionTokens"),
        "candidates_token_count",
    ),
    "total_tokens": ("total", "total_tokens", "totalTokens", "total_token_count"),
    "cache_read": (
        *("cached_tokens", "cache_read_input_tokens", "input_cached_tokens", "input_cache_read", "cache_read_tokens"),
        *("cached_input_tokens", "cache_read", "cachedInputTokens", "cacheReadTokens", "input_cached"),
        *("cached_content_token_count", "prompt_cached_tokens"),
    ),
    "cache_write": (
        *("cache_creation_input_tokens", "cache_write_input_tokens", "cache_creation_tokens", "cache_write_tokens"),
        *("input_cache_creation", "input_cache_write", "cache_creation", "cache_write", "cacheWriteTokens"),
    ),
    "cache_write_1h": ("[a-z_]*1h[a-z_]*",),  # ephemeral_1h_input_tokens
    "reasoning": (
        *("reasoning_tokens", "output_reasoning_tokens", "output_reasoning", "reasoning", "reasoningTokens"),
        *("thoughts_token_count", "thinking_tokens"),
    ),
    "input_audio": ("input_audio_tokens", "input_audio", "audio_input_tokens"),
    "output_audio": ("output_audio_tokens", "output_audio", "audio_output_tokens"),
    "input_image": ("input_image_tokens", "input_image", "image_input_tokens"),
    "output_image": ("output_image_tokens", "output_image", "image_output_tokens"),
}
_INPUT, _OUTPUT = "(?:prompt|input)_tokens?_details", "(?:completion|output)_tokens?_details"
# The part of the object, and the count in it.
_NESTED = {
    "input_audio": (_INPUT, "audio(?:_tokens)?"),
    "output_audio": (_OUTPUT, "audio(?:_tokens)?"),
    "input_image": (_INPUT, "image(?:_tokens)?"),
    "output_image": (_OUTPUT, "image(?:_tokens)?"),
}
_QUOTE = "[\"'']"  # of JSON and of Python, the latter doubled for SQL
_NUMBER = "([0-9][0-9.eE+-]*)"
_WHOLE = "([0-9]+)"
_COLON = "\\\\s*:\\\\s*"


def counted(text: str, names: str, number: str = _NUMBER) -> str:
    """SQL: the number behind one of the names, a regular expression, in the SQL `text`; '' without one."""
    return f"extract({text}, '{_named(names)}{_COLON}{_QUOTE}?{number}')"


def count_of(what: str, text: str) -> str:
    """SQL: a count of NAMES from the SQL `text` of an object of counts; '' without one."""
    names = "|".join(NAMES[what])
    if what not in _NESTED:
        return counted(text, names, _WHOLE)
    part, name = _NESTED[what]
    return f"extract({text}, '(?:{_named(names)}|{_named(part)}{_COLON}[{{][^}}]*{_named(name)}){_COLON}{_WHOLE}')"


def _named(names: str) -> str:
    return f"{_QUOTE}(?:{names}){_QUOTE}"
