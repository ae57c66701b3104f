import os
import socket
import threading
from collections.abc import Iterator

import pytest

from agentops_portal.embedded.ports import Listener, PortProblem, check_ports

from ..services import free_ports


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def test_free_ports_are_no_problem() -> None:
    check_ports([Listener("PORTAL_PORT", port) for port in free_ports(1)])


def test_a_taken_port_is_named_with_its_holder_and_the_variable_that_changes_it(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with pytest.raises(PortProblem) as problem:
        check_ports([Listener("OTLP_HTTP_PORT", port)])
    message = str(problem.value)
    assert message.startswith(f"Port {port} of 127.0.0.1 is taken by ")
    assert f"(process {os.getpid()})" in message
    assert "make up OTLP_HTTP_PORT=" in message


def test_a_port_that_becomes_free_in_time_is_no_problem(taken: socket.socket) -> None:
    closing = threading.Timer(0.5, taken.close)
    closing.start()
    check_ports([Listener("PORTAL_PORT", taken.getsockname()[1])], patience=5)
    closing.join()


def test_a_port_that_only_holds_closed_connections_is_free(taken: socket.socket) -> None:
    with socket.create_connection(taken.getsockname()):
        accepted, _ = taken.accept()
        accepted.close()
        port = taken.getsockname()[1]
        taken.close()
        check_ports([Listener("PORTAL_PORT", port)])


def test_two_variables_with_one_port_are_both_named() -> None:
    port = free_ports(1)[0]
    with pytest.raises(PortProblem, match=f"PORTAL_PORT and OTLP_HTTP_PORT are both {port}"):
        check_ports([Listener("PORTAL_PORT", port), Listener("OTLP_HTTP_PORT", port)])


def test_an_address_of_another_machine_is_named_with_its_variable() -> None:
    with pytest.raises(PortProblem, match=r"PORTAL_HOST=192\.0\.2\.1 is not an address of this machine"):
        check_ports([Listener("PORTAL_PORT", free_ports(1)[0], "192.0.2.1", "PORTAL_HOST")])
