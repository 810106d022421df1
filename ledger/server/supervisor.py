"""The supervisor: starts the processes of a service, and sees that they live.

It opens no log, reads no key, and parses nothing from outside. A front end that
dies is replaced; when the writer dies everything stops, for nobody knows what it
left, and the next start looks.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.callers.budgets import Budgets
from ledger.clock import stopwatch
from ledger.config import Config
from ledger.errors import Held
from ledger.events import FRONT_END_DIED, STOP_FORCED, WRITER_DIED, emit
from ledger.http.listening import listen
from ledger.log.states import held
from ledger.server import processes, running
from ledger.server.front import Place
from ledger.server.processes import SIGNALS
from ledger.server.writer import AGAIN, FIRST
from verifier.keys import VerifierKey

_START_S: Final = 60
"""How long a process may take until it is there; a log is looked at first."""
_BREATH_S: Final = 1.0
"""How long the place of one that died at once stays empty."""


@dataclass(slots=True)
class Child:
    """A process: which place it has, and since when."""

    pid: int
    run: Callable[[], None] = field(repr=False)
    since: float


class Supervisor:
    """The processes of one service."""

    def __init__(
        self, folder: Path, config: Config, *, without: Collection[str]
    ) -> None:
        self.folder = folder
        self.config = config
        self.sockets = listen(
            config.listen, "listen", config.workers, config.body_timeout_s
        )
        (self.operations,) = listen(
            config.operations, "operations", 1, config.body_timeout_s
        )
        self._without = without
        self._budgets = Budgets(config)
        self._writer: Child | None = None
        self._fronts: dict[int, Child] = {}
        self._index: Child | None = None
        self._control: socket.socket | None = None
        self._keys: tuple[VerifierKey, ...] = ()

    def start(self) -> dict[str, Any]:
        """Start everything; returns what the writer says of the log when all is up."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        said = self._start_writer()
        self._keys = tuple(VerifierKey.parse(each) for each in said["keys"])
        try:
            waiting = [self._start_front(number) for number in range(len(self.sockets))]
            for each in waiting:
                _hear(each, "a front end")
            if self.config.index:
                self._index = self._begin(
                    lambda: running.run_index(self.folder, os.getppid())
                )
        except BaseException:
            self.stop()
            raise
        return said

    def watch(self) -> None:
        """Return when somebody wants an end; Held when the writer has died."""
        while True:
            number = signal.sigwait(SIGNALS)
            if number != signal.SIGCHLD:
                return
            self._look()

    def stop(self) -> None:
        """Front ends first, so that everyone is answered; then the writer."""
        deadline = stopwatch() + self.config.stop_s
        others = [*self._fronts.values(), *([self._index] if self._index else [])]
        self._end(others, deadline - 1)
        if self._writer:
            self._end([self._writer], deadline)
        if self._control:
            self._control.close()
        for each in (*self.sockets, self.operations):
            each.close()

    def _start_writer(self) -> dict[str, Any]:
        self._control, theirs = socket.socketpair()
        self._writer = self._begin(
            lambda: running.run_writer(
                self.folder, self._without, self.operations, theirs
            )
        )
        theirs.close()
        said: dict[str, Any] = json.loads(_hear(self._control, "the writer"))
        if wrong := said.get("held"):
            self._end([self._writer], stopwatch() + 1)
            raise Held(wrong[0], wrong[1], mend=wrong[2])
        return said

    def _start_front(self, number: int, mark: bytes = FIRST) -> socket.socket:
        """Start one in this place; the socket tells when it is there."""
        ours, theirs = socket.socketpair()
        ready, says = socket.socketpair()
        assert self._control  # noqa: S101 - the writer is there
        place = Place(
            folder=self.folder,
            config=self.config,
            keys=self._keys,
            listening=self.sockets[number],
            budgets=self._budgets,
            share=len(self.sockets),
        )
        closing = [self._control, ours, ready, self.operations]
        closing += [each for each in self.sockets if each is not self.sockets[number]]

        def run() -> None:
            for each in closing:
                each.close()
            running.run_front(place, theirs, says)

        self._fronts[number] = self._begin(run)
        socket.send_fds(self._control, [mark], [ours.fileno()])
        for each in (ours, theirs, says):
            each.close()
        return ready

    def _begin(self, run: Callable[[], None]) -> Child:
        return Child(processes.fork(run), run, stopwatch())

    def _look(self) -> None:
        """See who has died, and do what has to be done."""
        if self._writer and (status := processes.ended(self._writer.pid)) is not None:
            self._writer = None
            emit(WRITER_DIED, how=processes.how(status))
            says = f"the writer was {processes.how(status)}; the next start looks"
            raise held("halted", f"{says} at what it left", self.folder)
        for number, child in list(self._fronts.items()):
            if (status := processes.ended(child.pid)) is not None:
                emit(FRONT_END_DIED, place=number, how=processes.how(status))
                self._breathe(child)
                self._start_front(number, AGAIN).close()
        if self._index and processes.ended(self._index.pid) is not None:
            self._breathe(self._index)
            self._index = self._begin(self._index.run)

    def _breathe(self, child: Child) -> None:
        """One that dies again and again is not started as fast as it dies."""
        rest = _BREATH_S - (stopwatch() - child.since)
        if rest > 0:
            wanted = signal.sigtimedwait([signal.SIGTERM, signal.SIGINT], rest)
            if wanted:  # it is for `watch`, which takes it up again
                os.kill(os.getpid(), wanted.si_signo)

    def _end(self, children: list[Child], deadline: float) -> None:
        """Ask them to end; those that have not by then are killed."""
        left = {each.pid for each in children}
        for pid in left:
            processes.tell(pid, signal.SIGTERM)
        while left:
            left = {pid for pid in left if processes.ended(pid) is None}
            rest = deadline - stopwatch()
            if left and rest > 0:
                signal.sigtimedwait([signal.SIGCHLD], rest)
            elif left:
                for pid in left:
                    emit(STOP_FORCED, pid=pid)
                    processes.tell(pid, signal.SIGKILL)
                deadline = stopwatch() + 1


def _hear(end: socket.socket, who: str) -> bytes:
    """What a process says when it is there."""
    end.settimeout(_START_S)
    try:
        said = end.recv(1 << 16)
    except TimeoutError:
        raise Held("halted", f"{who} was not there after {_START_S} s") from None
    if not said:
        raise Held("halted", f"{who} ended before it was there")
    return said
