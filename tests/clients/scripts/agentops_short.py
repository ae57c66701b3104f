"""The shortest application: its trace ends while the SDK still asks for its token in the background."""

import agentops

agentops.init(auto_start_session=False)
agentops.end_trace(agentops.start_trace("short"))
