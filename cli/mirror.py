"""provlog mirror: keep somebody's log as well, and show it to others."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from cli import voice
from cli.arguments import AS_JSON, Named
from cli.looking import Looking
from cli.trusted import FINAL, POLICY, TOKEN_FILE, needed, read_token
from ledger.errors import Refused
from ledger.mirror.folder import opened
from verifier.source import Directory, Source, Url

_END_S = 5.0
"""How long what is being written may take when somebody wants an end."""


@click.command(
    epilog="""\b
Exit status:
  0  DIR has what SOURCE shows; without --once: it was stopped
  1  it does not hold, or DIR is refused; DIR is whole, with the tree that it had
  2  it could not be carried out; DIR is whole, with the tree that it had

\b
With --json, an object for each tree: origin, path, before (the size that DIR had),
size, root (hex); with --listen first one with url.

\b
Examples:
  provlog mirror https://log.example M --policy log.policy --once
  provlog mirror https://log.example M --policy log.policy --listen 127.0.0.1:8431"""
)
@click.argument("source", metavar="SOURCE")
@click.argument("folder", metavar="DIR", type=Named(path_type=Path))
@POLICY
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1, max=86_400),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)
@click.option("--listen", metavar="HOST:PORT", help="Serve DIR there as well.")
@click.option(
    "--max-age",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="How old the cosignatures may be.",
)
@FINAL
@TOKEN_FILE
@AS_JSON
def mirror(
    source: str,
    folder: Path,
    policy: Path | None,
    *,
    once: bool,
    every: float,
    listen: str | None,
    max_age: int | None,
    final: tuple[int, bytes] | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Keep in DIR the log that SOURCE shows, an address or a folder.

    SOURCE has the layout of c2sp.org/tlog-tiles; any such log can be mirrored. Each
    entry is hashed, and nothing is shown that is not under a checkpoint that FILE
    believes. A log that contradicts itself is not followed any further, and the
    proof of it is kept beside DIR, as DIR.misbehaviour.

    It may be ended at any moment, and goes on where it was.
    """
    if once and listen:
        raise click.UsageError("--once and --listen exclude each other")
    trusted = needed(policy)
    with (
        closing(_source(source, read_token(token_file))) as read,
        opened(folder, read) as kept,
        voice.meter() as bar,
    ):
        looking = Looking(read, trusted, kept, max_age, bar, as_json, final_tree=final)
        if once:
            looking.told(looking.look(), always=True)
            return
        _keep_following(looking, every, listen)


def _source(text: str, token: str | None) -> Source:
    if text.startswith(("http://", "https://")):
        url = Url(text, token)
        if url.tells_token:
            voice.tell("warning: the token is sent without TLS, for all to read")
        return url
    if not Path(text).is_dir():
        raise Refused("source", f"{text} is neither a folder nor an http(s) address")
    return Directory(Path(text))


def _keep_following(looking: Looking, every_s: float, listen: str | None) -> None:
    """Follow in a thread, so that whoever wants an end does not wait for a server."""
    thread = threading.Thread(
        target=looking.follow,
        args=[every_s],
        kwargs={"stays": bool(listen)},
        daemon=True,
    )
    if listen:
        _serve(looking, listen, thread.start)
    else:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: looking.end.set())
        thread.start()
        looking.end.wait()
    looking.end.set()
    thread.join(_END_S)
    if thread.is_alive():
        # It waits for a server; the folder is whole at any moment.
        voice.said()
        sys.stderr.flush()
        os._exit(voice.HOLDS)
    if looking.wrong:
        raise looking.wrong


def _serve(looking: Looking, listen: str, begin: Callable[[], None]) -> None:
    # A third of a second for a server, which nothing else here needs.
    from ledger.http.mirroring import mirror_server  # noqa: PLC0415
    from ledger.http.small import run_small  # noqa: PLC0415

    def started(url: str) -> None:
        if looking.as_json:
            voice.say_json({"url": url})
        else:
            voice.fact("serves", url)
        voice.said()
        begin()

    run_small(lambda: mirror_server(looking.mirror.folder), listen, started=started)
