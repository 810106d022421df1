"""What each process runs: its loop, and the one part of the service that is its own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from uvloop import new_event_loop

from ledger.errors import Held
from ledger.log.log import Log
from ledger.server import following, front, outside, writer
from ledger.server.front import Place
from ledger.server.outside import goes_outside
from verifier.keys import VerifierKey
from verifier.policy import name_text

_LATER: Final = 15
"""How much the index leaves to others, where there is not enough for all."""


def looping(task: Coroutine[Any, Any, None]) -> None:
    """Run `task` in a loop of its own."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(task)


def run_writer(
    folder: Path,
    without: Collection[str],
    operations: socket.socket,
    control: socket.socket,
) -> None:
    """Be the writer; the supervisor is told what the log is, or what holds it."""

    def ready(log: Log, hold: Held | None) -> None:
        control.settimeout(None)
        control.send(json.dumps(told_of(log, hold, without)).encode())
        control.settimeout(0)

    try:
        looping(
            writer.write(
                folder,
                without=without,
                operations=operations,
                control=control,
                ready=ready,
            )
        )
    except Held as hold:
        control.settimeout(None)
        said = {"held": [hold.state, str(hold), hold.mend]}
        control.send(json.dumps(said).encode())


def told_of(log: Log, hold: Held | None, without: Collection[str]) -> dict[str, Any]:
    """What whoever started the service says about the log, which `hold` holds."""
    config, policy = log.home.config, log.home.whom_to_believe()
    # One who is trusted to have seen nothing newer protects from nothing.
    witnesses = {name_text(each) for each in policy.witnesses}
    asked = {
        "targets": set(config.targets) - set(without),
        "anchors": set(config.anchors) - set(without),
        "witnesses": policy.asks_witnesses and not witnesses & set(without),
    }
    answered = [name for name, who in asked.items() if who and not log.hold]
    return {
        "protected_by": log.home.protected_by(answered),
        "origin": log.charter.origin,
        "kind": log.charter.kind,
        "size": log.head.size,
        "keys": [key.text() for key in log.keys],
        "outside": goes_outside(config, policy),
        "hold": [hold.state, str(hold), hold.mend] if hold else None,
    }


def run_front(place: Place, end: socket.socket, ready: socket.socket) -> None:
    """Be a front end."""
    looping(front.serve(place, end, ready))


def run_publisher(
    folder: Path, keys: Sequence[VerifierKey], end: socket.socket
) -> None:
    """Be the one that asks witnesses, and brings what they say to the targets."""
    outside.serve(folder, keys, end)


def run_index(folder: Path, parent: int) -> None:
    """Be the follower that keeps the index: behind all that somebody waits for."""
    os.nice(_LATER)
    following.follow(folder, lambda: os.getppid() != parent)
