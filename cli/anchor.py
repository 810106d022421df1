"""provlog anchor: hold the newest head of somebody's log, where he cannot reach it."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, Commands
from cli.serving import listen_at, serve_folder
from ledger.witness.anchorhome import AnchorHome, add_log, make, remove_log


@click.group(cls=Commands)
def anchor() -> None:
    """Be an anchor elsewhere: know of each log's every batch before it is answered."""


@anchor.command(
    epilog="""\b
Exit status:
  0  the anchor service is made
  1  it was refused, and nothing was made
  2  it could not be carried out

\b
Example:
  provlog anchor init A"""
)
@FOLDER
def init(folder: Path) -> None:
    """Make an anchor service in DIR, which is empty or not there.

    It belongs on another machine than the logs that it is for, and in none of their
    backups.
    """
    make(folder)
    with voice.done(f"the anchor service in {folder} is made"):
        voice.fact("anchor", folder)
    voice.tell(f"next: provlog anchor add {quote(str(folder))} ORIGIN, for each log")


@anchor.command(
    epilog="""\b
Exit status:
  0  the log may anchor here
  1  it was refused, and nothing was changed
  2  it could not be carried out

\b
With --json, one object: origin, token."""
)
@FOLDER
@click.argument("origin", metavar="ORIGIN")
@AS_JSON
def add(folder: Path, origin: str, *, as_json: bool) -> None:
    """Let the log ORIGIN anchor here, and print a token for it.

    It is printed once, and kept nowhere. Put it into the file anchor.token of the
    log, which only the log's own user may read. A log that is added again gets
    another token, and both are good; remove it before, and the old ones are not.
    """
    token = add_log(AnchorHome(folder), origin)
    with voice.done(f"{origin} may anchor here"):
        if as_json:
            voice.say_json({"origin": origin, "token": token})
        else:
            voice.say(token)
    voice.tell(f"the token of {origin}: into its file anchor.token, mode 0600")


@anchor.command(
    epilog="""\b
Exit status:
  0  the log may not anchor here any more
  1  it was refused, and nothing was changed
  2  it could not be carried out

\b
With --json, one object: origin, tokens (how many it had)."""
)
@FOLDER
@click.argument("origin", metavar="ORIGIN")
@AS_JSON
def remove(folder: Path, origin: str, *, as_json: bool) -> None:
    """Let the log ORIGIN anchor here no longer; none of its tokens counts any more.

    What is held of it stays held. So adding the log again is no way back: it goes on
    from there. A log that still names this service in its anchors waits for it.
    """
    tokens = remove_log(AnchorHome(folder), origin)
    with voice.done(f"{origin} may not anchor here any more"):
        if as_json:
            voice.say_json({"origin": origin, "tokens": tokens})
        else:
            voice.fact("removed", f"{origin}, tokens: {tokens}")
    voice.tell("what is held of it stays held")


@anchor.command(
    "list",
    epilog="""\b
Exit status:
  0  those are the logs
  2  the list could not be read

\b
With --json, one object: logs, each with origin and tokens (how many).""",
)
@FOLDER
@AS_JSON
def list_(folder: Path, *, as_json: bool) -> None:
    """List the logs that may anchor here."""
    logs = AnchorHome(folder).known().all().values()
    if as_json:
        listed = [{"origin": e.origin, "tokens": len(e.hashes)} for e in logs]
        voice.say_json({"logs": listed})
        return
    for each in logs:
        voice.fact("log", f"{each.origin}, tokens: {len(each.hashes)}")
    if not logs:
        says = f"provlog anchor add {quote(str(folder))} ORIGIN"
        voice.tell(f"no log may anchor here yet: {says}")


@anchor.command(
    epilog="""\b
Exit status:
  0  it was stopped, and everyone was answered
  2  it could not begin; the state says why

\b
With --json, one object when it has begun: url, logs (how many).

\b
Example:
  provlog anchor serve A --listen 127.0.0.1:8441"""
)
@FOLDER
@listen_at("127.0.0.1:8441")
@AS_JSON
def serve(folder: Path, listen: str, *, as_json: bool) -> None:
    """Hold the newest head of each log, over HTTP.

    Put TLS in front of it. Stop it with Ctrl-C, or SIGTERM.
    """
    home = AnchorHome(folder)
    known = home.known()
    facts = {"logs": len(known.all())}
    # A third of a second for a server, which no other command needs.
    from ledger.http.anchoring import THREADS, anchor_server  # noqa: PLC0415
    from ledger.witness.anchoring import Anchoring  # noqa: PLC0415

    serve_folder(
        home,
        listen,
        lambda memory, pool: anchor_server(Anchoring(known, memory), pool),
        threads=THREADS,
        facts=facts,
        document=facts if as_json else None,
    )
