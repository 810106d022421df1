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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.callers.budgets import Budgets
from ledger.clock import stopwatch
from ledger.config import Config
from ledger.errors import Held
from ledger.events import FRONT_END_DIED, PUBLISHER_DIED, STOP_FORCED, WRITER_DIED, emit
from ledger.http.listening import listen
from ledger.schema.profile import profiles_of
from ledger.server import processes, running
from ledger.server.front import Place
from ledger.server.processes import SIGNALS
from ledger.server.writer import AGAIN, FIRST, FRONTS_SHARE, PUBLISHER
from verifier.keys import VerifierKey

_START_S: Final = 60
"""How long a process may take until it is there; a log is looked at first."""
_BREATH_S: Final = 1.0
"""How long the place of one that died at once stays empty."""


@dataclass(slots=True)
class Child:
    """A process, and since when."""

    pid: int
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
        self._publisher: Child | None = None
        self._control: socket.socket | None = None
        self._keys: tuple[VerifierKey, ...] = ()
        self._profiles = profiles_of(folder, config)

    def start(self) -> dict[str, Any]:
        """Start everything; returns what the writer says of the log when all is up.

        Whatever it raises, `stop` ends what has begun.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        # Some who start us have it ignored: then nobody hears that a child has died.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        said = self._start_writer()
        self._keys = tuple(VerifierKey.parse(each) for each in said["keys"])
        waiting = [self._start_front(number) for number in range(len(self.sockets))]
        for each in waiting:
            _hear(each, "a front end")
        if self.config.index:
            self._start_index()
        if said["outside"]:
            self._start_publisher()
        return said

    def watch(self) -> None:
        """Return when somebody wants an end; Held when the writer has died."""
        while True:
            number = signal.sigwait(SIGNALS)
            if number != signal.SIGCHLD:
                return
            self._look()

    def stop(self) -> int:
        """Front ends first, so that everyone is answered; then the writer.

        Returns how the writer has ended: its status, or minus a signal's number.
        """
        began = stopwatch()
        # Who comes from now on is refused; else he would wait, and be cut off.
        for each in self.sockets:
            each.close()
        others = [*self._fronts.values(), *([self._index] if self._index else [])]
        self._end(others, began + FRONTS_SHARE * self.config.stop_s)
        # The writer first: it publishes once more, and the publisher ends with it.
        last = [each for each in (self._writer, self._publisher) if each]
        statuses = self._end(last, began + self.config.stop_s)
        writer = self._writer.pid if self._writer else 0
        if self._control:
            self._control.close()
        self.operations.close()
        return statuses.get(writer, 0)

    def _start_writer(self) -> dict[str, Any]:
        self._control, theirs = socket.socketpair()
        self._writer = self._begin(
            lambda: running.run_writer(
                self.folder, self._without, self.operations, theirs
            ),
            keep=[self.operations],
        )
        theirs.close()
        said: dict[str, Any] = json.loads(_hear(self._control, "the writer"))
        if wrong := said.get("held"):
            raise Held(wrong[0], wrong[1], mend=wrong[2])
        return said

    def _start_front(self, number: int, mark: bytes = FIRST) -> socket.socket:
        """Start one in this place; the socket tells when it is there."""
        ours, theirs = socket.socketpair()
        ready, says = socket.socketpair()
        place = Place(
            folder=self.folder,
            config=self.config,
            keys=self._keys,
            listening=self.sockets[number],
            budgets=self._budgets,
            profiles=self._profiles,
            share=len(self.sockets),
        )

        def run() -> None:
            ours.close()
            ready.close()
            running.run_front(place, theirs, says)

        self._fronts[number] = self._begin(run, keep=[self.sockets[number]])
        self._bring(mark, ours)
        for each in (ours, theirs, says):
            each.close()
        return ready

    def _start_publisher(self) -> None:
        ours, theirs = socket.socketpair()

        def run() -> None:
            ours.close()
            running.run_publisher(self.folder, self._keys, theirs)

        self._publisher = self._begin(run, keep=[])
        self._bring(PUBLISHER, ours)
        for each in (ours, theirs):
            each.close()

    def _bring(self, mark: bytes, end: socket.socket) -> None:
        """Bring the writer the end of a link."""
        assert self._control  # noqa: S101 - the writer is there
        # When it has died just now, the other end is closed, and `watch` hears of both.
        with suppress(OSError):
            socket.send_fds(self._control, [mark], [end.fileno()])

    def _start_index(self) -> None:
        ours = os.getpid()
        self._index = self._begin(lambda: running.run_index(self.folder, ours), keep=[])

    def _begin(
        self, run: Callable[[], None], *, keep: Collection[socket.socket]
    ) -> Child:
        """Begin a process that has, of our sockets, only those to `keep`.

        A copy of ours that stays open in a child would hide from the writer that we
        have died, and from producers that nobody listens any more.
        """
        ours = [*self.sockets, self.operations]
        ours += [self._control] if self._control else []

        def begin() -> None:
            for each in ours:
                if each not in keep:
                    each.close()
            run()

        return Child(processes.fork(begin), stopwatch())

    def _look(self) -> None:
        """See who has died, and do what has to be done."""
        if self._writer and (status := processes.ended(self._writer.pid)) is not None:
            self._writer = None
            emit(WRITER_DIED, how=processes.how(status))
            says = f"the writer was {processes.how(status)}; the next start looks"
            # By the time that this is read, the service has ended.
            mend = "start it again; it looks at what was left"
            raise Held("halted", f"{says} at what it left", mend=mend)
        for number, child in list(self._fronts.items()):
            if (status := processes.ended(child.pid)) is not None:
                # From now on its number may be that of somebody else's process.
                del self._fronts[number]
                emit(FRONT_END_DIED, place=number, how=processes.how(status))
                self._breathe(child)
                self._start_front(number, AGAIN).close()
        if (index := self._index) and processes.ended(index.pid) is not None:
            self._index = None
            self._breathe(index)
            self._start_index()
        if (publisher := self._publisher) and (
            status := processes.ended(publisher.pid)
        ) is not None:
            self._publisher = None
            emit(PUBLISHER_DIED, how=processes.how(status))
            self._breathe(publisher)
            self._start_publisher()

    def _breathe(self, child: Child) -> None:
        """One that dies again and again is not started as fast as it dies."""
        rest = _BREATH_S - (stopwatch() - child.since)
        if rest > 0:
            wanted = signal.sigtimedwait(SIGNALS - {signal.SIGCHLD}, rest)
            if wanted:  # it is for `watch`, which takes it up again
                os.kill(os.getpid(), wanted.si_signo)

    def _end(self, children: list[Child], deadline: float) -> dict[int, int]:
        """Ask them to end; those that have not by then are killed. How they ended."""
        left = {each.pid for each in children}
        statuses: dict[int, int] = {}
        for pid in left:
            processes.tell(pid, signal.SIGTERM)
        while left:
            for pid in tuple(left):
                if (status := processes.ended(pid)) is not None:
                    left.remove(pid)
                    statuses[pid] = status
            rest = deadline - stopwatch()
            if left and rest > 0:
                signal.sigtimedwait([signal.SIGCHLD], rest)
            elif left:
                for pid in left:
                    emit(STOP_FORCED, pid=pid)
                    processes.tell(pid, signal.SIGKILL)
                deadline = stopwatch() + 1
        return statuses


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
