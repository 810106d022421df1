"""The life of a service: begun, watched, ended."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.callers.tokenfile import listed
from ledger.config import Config
from ledger.errors import Held
from ledger.events import (
    NOBODY_CAN_SUBMIT,
    OPEN_TO_ALL,
    SERVICE_STARTED,
    SERVICE_STOPPED,
    UNPROTECTED,
    emit,
)
from ledger.http.listening import address_text, is_local, parse_address, tls_of
from ledger.log.home import Home
from ledger.log.lock import Lock
from ledger.log.states import mended_by
from ledger.server.alone import serve_alone
from ledger.server.outside import check_outside
from ledger.server.processes import how
from ledger.server.running import looping
from ledger.server.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service that has begun: what it serves, and where."""

    url: str
    operations: str
    origin: str
    kind: str
    size: int
    hold: Held | None


def serve(
    folder: Path,
    config: Config,
    *,
    without: Collection[str],
    started: Callable[[Running], None],
) -> None:
    """Serve the log in `folder` until somebody wants an end.

    Held where it cannot begin, and when its writer has died.
    """
    tls_of(folder, config)  # what cannot be used is said before anything begins
    check_outside(Home(folder, config))
    with mended_by(folder):
        # A second service of this log has the first one's port, too: not that is said.
        Lock(folder).release()
    _warn(folder, config)

    def ready(
        said: dict[str, Any], listening: socket.socket, operations: socket.socket
    ) -> None:
        hold = said["hold"]
        running = Running(
            url=address_text(listening, config),
            operations=address_text(operations, Config()),
            origin=said["origin"],
            kind=said["kind"],
            size=said["size"],
            hold=Held(hold[0], hold[1], mend=hold[2]) if hold else None,
        )
        if not said["protected_by"]:
            emit(UNPROTECTED, folder=folder)
        emit(SERVICE_STARTED, url=running.url, size=running.size)
        started(running)

    if config.workers:
        supervisor = Supervisor(folder, config, without=without)
        try:
            ready(supervisor.start(), supervisor.sockets[0], supervisor.operations)
            supervisor.watch()
        finally:
            status = supervisor.stop()
        if status:
            says = f"the writer was {how(status)} while the service stopped"
            mend = "start it again; it looks at what was left"
            raise Held("halted", f"{says}; the next start looks at it", mend=mend)
    else:
        looping(serve_alone(folder, config, without=without, ready=ready))
    emit(SERVICE_STOPPED, folder=folder)


def _warn(folder: Path, config: Config) -> None:
    """Say what everybody may do here who has not been given it."""
    host, _ = parse_address(config.listen, "listen")
    if listed(folder):
        return
    emit(OPEN_TO_ALL if is_local(host) else NOBODY_CAN_SUBMIT, listen=config.listen)
