"""The store knows its own shape: what it is meant to be, what it is, and how one becomes the other. See README.md."""
