"""Deletes a trace, or all traces of a user or a session, when somebody asks for it, and says what is left of them.

A trace goes whole: the spans of a conversation that name nobody belong to the one that another span of it names.
Usage figures are counted anew from the spans that stay. Spans that arrive later are new ones; what is already
acknowledged and not yet stored (a second's worth) is not seen.
"""
