"""Live updates of the monitoring API: one WebSocket per page, `…/ws/{project_id}`.

asgi.py    one socket: who may open it (access.py), what it is sent, when it is closed
hub.py     the sockets of this process, and one feed for each project that somebody listens to
feed.py    looks every second and a half what arrived, and says so to all who listen

Messages are JSON, `{"type", "data", "timestamp"}`:
trace_new       data: a row of …/traces
trace_update    data: trace_id, status, duration (ms), cost (US dollars) and the other figures of a row that may change
metrics_update  data: what …/metrics says of the last 24 hours, with start_time and end_time
error           data: message; the feed goes on when the cause is gone

What clients send is ignored. Close codes: 4401 no or a wrong credential, 4403 not allowed, 4404 no such project, 1012
the portal restarts, 1013 too many sockets or too slow a client: connect again.
"""
