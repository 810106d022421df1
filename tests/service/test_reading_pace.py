"""A polite monitor reads faster than a log grows that is written to as fast as it goes.

Where one log could not be read as fast as it was written to, its monitors were 100
million entries behind, and nobody looked any more. Measured as a ratio in one run:
what a monitor reads and hashes in a round, beside what was logged meanwhile.
"""

import subprocess
import sys
from contextlib import closing, contextmanager
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from tests.monitor.watching import Watching
from verifier.checkpoint import Checkpoint
from verifier.note import Note
from verifier.source import Url

pytestmark = pytest.mark.soak  # it wants the machine for itself
AHEAD = 50_000
ROUNDS = 5
PRODUCER = """
import http.client, sys
body = b"".join(b'{"n":%d}\\n' % number for number in range(2_000))
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
while True:
    headers = {"Content-Type": "application/x-ndjson"}
    connection.request("POST", "/v1/records:batch", body, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status in (200, 429, 503), answer.status
"""
"""In a process of its own: it takes nothing from the monitor but what the log takes."""


class Shown:
    """The log as somebody who knows its policy and its address sees it."""

    def __init__(self, service):
        self.policy, self.folder = service.live.policy, None


def test_a_monitor_catches_up_with_a_log_at_full_load(new_service, tmp_path):
    service = new_service(workers=1, settings="publish_interval_ms = 100\n")
    with closing(Url(service.url)) as source, producing(service):
        watching = Watching(Shown(service), tmp_path, source=source, reread=256)
        watching.round()
        service.until(lambda: public(service) >= AHEAD)
        sizes = [0, *(in_a_round(watching) for _ in range(ROUNDS))]
    assert watching.said == []
    # Whoever reads more slowly than is written has more to read in each round.
    read = [after - before for before, after in pairwise(sizes)]
    assert read[0] >= AHEAD
    assert read[-1] < read[0], read


@contextmanager
def producing(service):
    """Log as much as goes, meanwhile."""
    port = str(urlsplit(service.url).port)
    process = subprocess.Popen([sys.executable, "-c", PRODUCER, port])
    try:
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def public(service):
    """How many entries everybody can see."""
    shown = service.get("/checkpoint").body
    return Checkpoint.parse(Note.parse(shown).text).size


def in_a_round(watching):
    """How far it is after a round, in which it has read all that was public."""
    outcome = watching.round()
    assert not outcome.trouble, outcome.trouble
    assert not outcome.report.broken
    assert watching.state.looked == outcome.size
    return outcome.size
