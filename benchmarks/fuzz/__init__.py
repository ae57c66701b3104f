"""`make fuzz`: whatever a client sends, every page, API, export, tool and feed can show it.

texts.py has what is nasty to readers, bodies.py makes requests of it and of recorded ones, readers.py lists who reads,
run.py sends, reads and judges.
"""
