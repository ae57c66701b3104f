"""The SDK's own validation of a trace, with the one change that it needs: its host is written into its source.

argv: the portal's URL, the trace's id, the least number of spans. Prints the result as JSON.
"""

import inspect
import json
import sys
import types

from agentops import validation

portal, trace_id, spans = sys.argv[1:]
source = inspect.getsource(validation)
assert source.count("https://api.agentops.ai/public/v1/") == 3
redirected = types.ModuleType("agentops_validation")
exec(source.replace("https://api.agentops.ai", portal), redirected.__dict__)  # noqa: S102
print(json.dumps(redirected.validate_trace_spans(trace_id=trace_id, min_spans=int(spans), max_retries=5)))  # noqa: T201
