"""Filters of the ingest page: see traces/ingest.py."""

from django import template

from traces import ingest

register = template.Library()
register.filter("refusals", ingest.refusals)
register.filter("clock", ingest.clock)
