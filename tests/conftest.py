"""Fixtures of the whole suite; those of one subject live in its own folder."""
