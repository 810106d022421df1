"""Outsiders who stall, flood or lie cost a service its witnesses, and nothing else.

One service with everybody hostile: it takes submissions, answers reads, uses no more
memory, tells none of its secrets, and ends when it is told to.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack

import pytest

from ledger.clock import stopwatch
from ledger.publish.webhook import make_secret
from tests.faults.public import QUICK, Eye, watched
from tests.loopback import Server, running, silent
from tests.witness.hostile import has, raw, stalls_after

HEADERS = b"".join(b"X-%d: " % number + b"a" * 60_000 + b"\r\n" for number in range(99))
HOSTILE = [
    stalls_after(b"HTTP/1.1 200 OK\r\nContent-Le"),
    raw(b"HTTP/1.1 200 OK\r\n" + HEADERS + b"\r\n"),
    raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000),
    has(2**63 - 1),
    raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n"),
]


MOST_BYTES = 200 << 20
STOP_S = 8


@pytest.fixture
def stack():
    with ExitStack() as it:
        yield it


@pytest.fixture
def service(new_log, new_service, stack):
    """A service among them; a target is a pipe, and a webhook does not answer."""
    live = new_log()
    hook = stack.enter_context(running(Server()))
    hook.behaviours = [silent]
    pipe = live.folder.parent / "pipe"
    pipe.mkdir()
    os.mkfifo(pipe / "checkpoint")
    make_secret(live.folder / "webhook.secret")
    eyes = [Eye(f"w{number}", live) for number in range(len(HOSTILE))]
    witnesses = [
        (eye.name, eye.vkey, each) for eye, each in zip(eyes, HOSTILE, strict=True)
    ]
    stack.enter_context(watched(live, *witnesses, quorum="any"))
    hooks = json.dumps([f"{hook.prefix}/SECRETPATH"])
    (live.folder / "log.toml").write_text(
        f"min_free_bytes = 0\n{QUICK}webhooks = {hooks}\n"
        'targets = ["../pipe"]\nwitness_failure = "open"\nwitness_timeout_ms = 300\n'
    )
    # An operator has looked at it, and starts all the same.
    names = [eye.name for eye in eyes] + ["../pipe"]
    without = [word for name in names for word in ("--without", name)]
    return new_service(live, workers=1, arguments=tuple(without))


def measured(service, name):
    """The values of a metric."""
    body = service.ask("GET", "/metrics", operations=True).body.decode()
    assert "SECRETPATH" not in body
    lines = (each for each in body.splitlines() if each.startswith(f"{name}{{"))
    return [float(each.rpartition(" ")[2]) for each in lines]


def test_all_of_them_together(service):
    for number in range(5):
        service.submit(b"entry %d" % number)
    service.until(lambda: service.get("/checkpoint").body.count(b"\n5\n") == 1)
    # Each has done its worst more than once.
    service.until(
        lambda: (
            min(measured(service, "provlog_witness_failures"), default=0) >= 2
            and min(measured(service, "provlog_target_failures")) >= 2
        )
    )
    service.submit(b"entry 5")
    assert max(measured(service, "provlog_process_bytes")) < MOST_BYTES
    began = stopwatch()
    assert service.stop() == 0
    assert stopwatch() - began < STOP_S
    assert "SECRETPATH" not in "\n".join(service.lines)
