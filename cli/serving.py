"""How a witness and an anchor service serve: the same way, from the same folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import click

from cli import voice
from ledger.witness.answering import Memory
from ledger.witness.folder import Folder

_Command = TypeVar("_Command", bound=Callable[..., Any])


def listen_at(default: str) -> Callable[[_Command], _Command]:
    """The option that says where to listen."""
    return click.option(
        "--listen",
        metavar="HOST:PORT",
        default=default,
        show_default=True,
        help="Where to listen.",
    )


def serve_folder(
    folder: Folder,
    listen: str,
    server_of: Callable[[Memory, ThreadPoolExecutor], Any],
    *,
    threads: int,
    facts: Mapping[str, object],
    document: Mapping[str, object] | None,
) -> None:
    """Serve until a signal comes; say where, as `document` if there is one."""

    def started(url: str) -> None:
        if document is not None:
            voice.say_json({**document, "url": url})
        else:
            for name, value in {**facts, "serves": url}.items():
                voice.fact(name, value)
        voice.said()

    # A third of a second for a server, which no other command needs.
    from ledger.http.small import run_small  # noqa: PLC0415

    with (
        voice.logging_aloud(verbose=False),
        folder.remembering() as memory,
        ThreadPoolExecutor(threads) as pool,
    ):
        run_small(lambda: server_of(memory, pool), listen, started=started)
