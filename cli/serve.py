"""provlog serve: run the log as a service, until somebody wants an end."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, WITHOUT
from ledger.config import Config
from ledger.config.settings import MAX_WORKERS, checked
from ledger.errors import Held
from ledger.log.states import mended_by
from verifier.report import escape


@click.command(
    epilog="""\b
Exit status:
  0  it was stopped, and everyone was answered
  2  it could not begin, or its writer has died; the state says why

\b
With --json, one object when it has begun: url, operations, origin, kind, size,
and state, "writes" or the name of what keeps it from writing.

\b
Example:
  provlog serve LOG --listen 127.0.0.1:8421 --workers 2"""
)
@FOLDER
@click.option(
    "--listen", metavar="HOST:PORT", help="Where to listen.  [default: as in log.toml]"
)
@click.option(
    "--operations", metavar="HOST:PORT", help="Where /readyz and /metrics are."
)
@click.option(
    "--workers",
    type=click.IntRange(min=0, max=MAX_WORKERS),
    metavar="N",
    help="How many front-end processes; 0: all in one process.",
)
@click.option("--verbose", is_flag=True, help="A line for each batch as well.")
@WITHOUT
@AS_JSON
def serve(
    folder: Path,
    listen: str | None,
    operations: str | None,
    workers: int | None,
    without: tuple[str, ...],
    *,
    verbose: bool,
    as_json: bool,
) -> None:
    """Serve the log in DIR over HTTP.

    Producers submit and get a receipt, auditors read; stop it with Ctrl-C, or SIGTERM.
    What is set on this line goes before log.toml.
    """
    given = {"listen": listen, "operations": operations, "workers": workers}
    with mended_by(folder):
        if not (folder / "store").is_dir():
            raise Held("absent", f"there is no log in {folder}")
        config = dataclasses.replace(
            Config.read(folder),
            **{
                name: checked(f"--{name}", name, value)
                for name, value in given.items()
                if value is not None
            },
        )
    # A third of a second for a server, which no other command needs.
    from ledger.server import life  # noqa: PLC0415

    with voice.logging_aloud(verbose=verbose):
        life.serve(
            folder,
            config,
            without=without,
            started=lambda running: _say(running, as_json=as_json),
        )


def _say(running: Any, *, as_json: bool) -> None:
    """Say what has begun: a `life.Running`."""
    state = running.hold.state if running.hold else "writes"
    if as_json:
        voice.say_json(
            {
                "url": running.url,
                "operations": running.operations,
                "origin": running.origin,
                "kind": running.kind,
                "size": running.size,
                "state": state,
            }
        )
    else:
        voice.fact("log", f"{running.origin}, {running.kind} entries")
        voice.fact("tree", f"size {running.size}")
        voice.fact("serves", running.url)
        voice.fact("operations", f"{running.operations}/readyz, /metrics")
        voice.fact("state", state)
        if running.hold:
            voice.fact("says", escape(str(running.hold)))
        if running.hold and running.hold.mend:
            voice.fact("mend", running.hold.mend)
    voice.said()
