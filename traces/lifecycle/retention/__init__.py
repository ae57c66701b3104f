"""Removes what is older than its project keeps it, from every table that holds a project's data.

A project that keeps N days keeps the running day and the N days before it, days of UTC. A row belongs to the day in
which its span starts (uploads and unreadable requests: in which they came), so spans, summaries of traces, usage and
the ledger lose the same days and go on agreeing with one another: a trace that crosses the border is what its kept
days hold of it, for a day at most as many days as it lasted.

A span that arrives when its day is over is stored and counted, and goes with the next run.
"""
