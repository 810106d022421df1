"""A clock that stands until somebody sleeps, and a server that says what it is told."""

from __future__ import annotations

import pytest

from capture import Client
from capture.patience import Clock
from tests.capture.live import serving, token_of
from tests.capture.truth import POLICY, WALL, Posting
from tests.loopback import Server, running


class Ticking:
    """Time passes by sleeping alone; `pauses` has each sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self.clock = Clock(
            now=lambda: self.now,
            wall=lambda: WALL + self.now - 1000,
            sleep=self._sleep,
            chance=lambda: 0.5,
        )

    def _sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)
        self.now += pause_s


@pytest.fixture
def ticking():
    return Ticking()


@pytest.fixture
def server():
    made = Server()
    made.RequestHandlerClass = Posting
    made.bodies = []
    with running(made) as started:
        yield started


@pytest.fixture
def client(server, ticking):
    """Makes clients of `server`, which answers each request with the next of these."""
    made = []

    def make(*behaviours, **options):
        server.behaviours = behaviours
        given = {"policy": POLICY, "clock": ticking.clock, "token": None} | options
        made.append(Client(server.prefix, **given))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def record_log(tmp_path_factory):
    """A log of records with two front ends, where everybody needs a token."""
    with serving(tmp_path_factory.mktemp("r"), workers=2, kind="record") as service:
        service.token = token_of(service)
        yield service


@pytest.fixture(scope="session")
def opaque_log(tmp_path_factory):
    """A log of bytes, open to all of this machine."""
    with serving(tmp_path_factory.mktemp("o"), workers=0) as service:
        service.token = None
        yield service


@pytest.fixture(params=["record", "opaque"])
def service(request):
    return request.getfixturevalue(f"{request.param}_log")
