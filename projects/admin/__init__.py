"""The administration of people, projects and keys, in django-unfold's look. One module per subject."""

from . import beat, keys, people, projects, records

__all__ = ["beat", "keys", "people", "projects", "records"]
