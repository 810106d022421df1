"""Servers of this machine, and lines to them."""

import pytest

from ledger.outbound import Line
from tests import loopback


class Server(loopback.Server):
    """Answers what is posted as what is asked for, and keeps it."""

    def __init__(self):
        super().__init__()
        self.bodies = []
        self.RequestHandlerClass = Handler


class Handler(loopback.Handler):
    def do_POST(self):  # noqa: N802 - the name that http.server asks for
        size = int(self.headers["Content-Length"])
        self.server.bodies.append(self.rfile.read(size))
        self.do_GET()


@pytest.fixture
def server():
    with loopback.running(Server()) as running:
        yield running


@pytest.fixture
def line(server):
    """A line to `server`, which behaves as told."""
    made = []

    def new(*behaviours, **given):
        server.behaviours = behaviours
        made.append(Line(server.prefix, **{"reach": ["127.0.0.1"]} | given))
        return made[-1]

    yield new
    for each in made:
        each.close()
