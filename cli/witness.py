"""provlog witness: be the other eyes of somebody's log."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Any

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, Commands
from cli.serving import listen_at, serve_folder
from cli.witnesskeys import document_of, policy_line, say_keys, words
from ledger.errors import Held, Refused, Unavailable
from ledger.witness.cosigner import Cosigner, remembered_of
from ledger.witness.home import Home, make
from ledger.witness.known import add_log, remove_log


@click.group(cls=Commands)
def witness() -> None:
    """Be a witness: cosign the checkpoints of logs that only grow."""


@witness.command(
    epilog="""\b
Exit status:
  0  the witness is made
  1  it was refused, and nothing was made
  2  it could not be carried out

\b
With --json, one object: name, keys (algorithm, id, vkey), policy (lines).

\b
Example:
  provlog witness init W --name witness.example/w1 --url https://witness.example"""
)
@FOLDER
@click.option(
    "--name",
    metavar="NAME",
    required=True,
    help="The witness's name, which never changes: a domain of yours, and a path.",
)
@click.option("--url", metavar="URL", help="Where logs will ask it.")
@AS_JSON
def init(folder: Path, name: str, url: str | None, *, as_json: bool) -> None:
    """Make a witness in DIR, which is empty or not there.

    It gets an Ed25519 and an ML-DSA-44 key. Logs put a line for one of them, or a
    group of both, into their policies.
    """
    if url is not None and (not url.startswith(("http://", "https://")) or " " in url):
        raise Refused("url", f"{url!r} does not begin with https:// or http://")
    home = make(folder, name)
    signing = home.signing()
    lines = [policy_line(key, url) for key in signing.verifier_keys()]
    with voice.done(f"the witness in {folder} is made"):
        if as_json:
            voice.say_json({**document_of(signing), "policy": lines})
        else:
            say_keys(signing)
            for line in lines:
                voice.say(line)
    voice.tell("the lines that begin with witness are for the policies of logs")
    voice.tell(f"next: provlog witness add {quote(str(folder))} VKEY, for each log")


@witness.command(
    epilog="""\b
Exit status:
  0  the log is known
  1  it was refused, and nothing was changed
  2  it could not be carried out"""
)
@FOLDER
@click.argument("vkey", metavar="VKEY")
@AS_JSON
def add(folder: Path, vkey: str, *, as_json: bool) -> None:
    """Cosign the log whose key is VKEY as well; its name is the log's origin.

    A witness that serves knows it from the next request on. A log with a second key
    is added once more, with that.
    """
    home = Home(folder)
    own = home.signing().verifier_keys()
    key = add_log(home.logs, vkey, own=own)
    with voice.done(f"{key.name} is known"):
        if as_json:
            voice.say_json({"origin": key.name, "vkey": key.text()})
        else:
            voice.fact("log", key.name)
            voice.fact("key", words(key))


@witness.command(
    epilog="""\b
Exit status:
  0  no log is known by that key any more
  1  it was refused, and nothing was changed
  2  it could not be carried out

\b
With --json, one object: origins (of the logs that it was a key of), vkey."""
)
@FOLDER
@click.argument("vkey", metavar="VKEY")
@AS_JSON
def remove(folder: Path, vkey: str, *, as_json: bool) -> None:
    """Cosign no more for the log whose key is VKEY.

    What was cosigned stays remembered, and is still shown. So adding the log again
    is no way back: it goes on from there. A log with a second key is known by that.
    """
    home = Home(folder)
    home.check()
    origins = remove_log(home.logs, vkey)
    with voice.done(f"that is no known key of {', '.join(origins)} any more"):
        if as_json:
            voice.say_json({"origins": list(origins), "vkey": vkey})
        else:
            for origin in origins:
                voice.fact("removed", origin)
    voice.tell("what it has cosigned stays remembered")


@witness.command(
    "list",
    epilog="""\b
Exit status:
  0  those are the logs
  2  the list could not be read

\b
With --json, one object: name, and logs: origin, vkeys.""",
)
@FOLDER
@AS_JSON
def list_(folder: Path, *, as_json: bool) -> None:
    """List the logs that the witness knows."""
    home = Home(folder)
    logs = home.known().all()
    if as_json:
        listed = [
            {"origin": origin, "vkeys": [key.text() for key in keys]}
            for origin, keys in logs.items()
        ]
        voice.say_json({"name": home.signing().name, "logs": listed})
        return
    for origin, keys in logs.items():
        voice.fact("log", origin)
        for key in keys:
            voice.fact("key", words(key))
    if not logs:
        says = f"provlog witness add {quote(str(folder))} VKEY"
        voice.tell(f"it knows no log yet: {says}")


@witness.command(
    epilog="""\b
Exit status:
  0  that is its state
  2  it could not be read, or its memory is not what it was

\b
With --json, one object: name, keys, logs (origin, size, time), state."""
)
@FOLDER
@AS_JSON
def status(folder: Path, *, as_json: bool) -> None:
    """Say who the witness is, and what it has cosigned.

    While it serves, its memory is its own: ask it, at /ORIGIN-HASH/checkpoint.
    """
    home = Home(folder)
    signing, known = home.signing(), home.known()
    state, seen = "ready", {}
    try:
        with home.remembering() as memory:
            seen = {
                origin: memory.get(sha256(origin.encode()).digest())
                for origin in known.all()
            }
    except (Held, Unavailable) as error:
        if not (isinstance(error, Unavailable) or error.state == "locked"):
            raise
        state = "serves"
    logs = [_log_document(origin, seen.get(origin)) for origin in known.all()]
    if as_json:
        voice.say_json({**document_of(signing), "logs": logs, "state": state})
        return
    say_keys(signing)
    for log in logs:
        voice.fact("log", log["origin"])
        if log["size"] is not None:
            when = datetime.fromtimestamp(log["time"], UTC)
            voice.fact("cosigned", f"size {log['size']}, {when:%Y-%m-%d %H:%M:%S} UTC")
        elif state == "ready":
            voice.fact("cosigned", "nothing yet")
    voice.fact("state", state)


@witness.command(
    epilog="""\b
Exit status:
  0  it was stopped, and everyone was answered
  2  it could not begin; the state says why

\b
With --json, one object when it has begun: url, name, keys, logs (how many).

\b
Example:
  provlog witness serve W --listen 127.0.0.1:8431"""
)
@FOLDER
@listen_at("127.0.0.1:8431")
@AS_JSON
def serve(folder: Path, listen: str, *, as_json: bool) -> None:
    """Cosign for the logs that it knows, over HTTP.

    It speaks c2sp.org/tlog-witness; put TLS in front of it. Stop it with Ctrl-C, or
    SIGTERM.
    """
    home = Home(folder)
    signing, known = home.signing(), home.known()
    count = len(known.all())
    # A third of a second for a server, which no other command needs.
    from ledger.http.witnessing import THREADS, witness_server  # noqa: PLC0415

    serve_folder(
        home,
        listen,
        lambda memory, pool: witness_server(Cosigner(signing, known, memory), pool),
        threads=THREADS,
        facts={"witness": signing.name, "logs": count},
        document={**document_of(signing), "logs": count} if as_json else None,
    )


def _log_document(origin: str, stored: bytes | None) -> dict[str, Any]:
    size, time = remembered_of(stored) if stored else (None, None)
    return {"origin": origin, "size": size, "time": time}
