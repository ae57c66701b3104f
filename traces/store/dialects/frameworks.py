"""Agent frameworks behind OpenInference's instrumentations: what they name in their own words."""

from .base import Dialect

# Frameworks name the span of an agent after it and the method that runs it.
METHODS = (
    "a?(run|call|chat|invoke|stream|step|execute|kickoff)(_stream|_async|_task)?|_execute_core|on_messages(_stream)?|"
    "__call__|forward"
)


DIALECT = Dialect(
    name="frameworks",
    reference="https://github.com/Arize-ai/openinference/tree/main/python/instrumentation",
    values={
        "agent_node": ("graph.node.id",),
        "metadata": ("metadata",),
    },
)
