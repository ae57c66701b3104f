"""Filters of the ingest page: see traces/ingest/receipts/summary.py."""

from django import template

from traces.ingest.receipts import summary as ingest

register = template.Library()
register.filter("refusals", ingest.refusals)
register.filter("clock", ingest.clock)
register.filter("not_stored", ingest.not_stored)
