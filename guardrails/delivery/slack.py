"""Text in messages of Slack: https://docs.slack.dev/reference/block-kit/blocks."""

from typing import Final

LONGEST_HEADER: Final = 150
LONGEST_TEXT: Final = 3000


def escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text#escaping; and a star is no bold type."""
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("*", "∗"), ("`", "ˋ")):
        text = text.replace(sign, name)
    return text
