"""Where something stands in a text that a rule is about. Patterns are RE2's, whose time is linear in the text."""
