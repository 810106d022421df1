"""What tests of a log behind a real server on the loopback share."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.loopback import Server, running
from verifier import source
from verifier.source import Url


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between attempts: written down, and not made."""
    made = []
    monkeypatch.setattr(source, "time", SimpleNamespace(sleep=made.append))
    return made


@pytest.fixture
def server():
    with running(Server()) as started:
        yield started


@pytest.fixture
def logs():
    opened = []
    yield opened
    for log in opened:
        log.close()


@pytest.fixture
def url(logs):
    """The log at a server that answers like this, the last for ever."""

    def opened(server, *behaviours):
        server.behaviours = behaviours
        logs.append(Url(server.prefix))
        return logs[-1]

    return opened
