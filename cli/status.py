"""provlog status: what a log is, whether it writes, and what protects it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER
from cli.keys import key_document
from cli.outsiders import (
    ANSWERS,
    NOT_ASKED,
    anchors_say,
    target_says,
    witnesses_say,
)
from ledger.clock import read_clock
from ledger.errors import Held
from ledger.log.home import Home
from ledger.log.lock import NAME as LOCK
from ledger.log.look import Look, look
from ledger.log.recovery import check_clock
from ledger.log.room import check_room
from ledger.log.states import mended_by
from ledger.store import COPY
from verifier.errors import MalformedError
from verifier.report import time_text
from verifier.source import read_file

_WRITES: Final = "writes"
_IN_ORDER: Final = (_WRITES, "frozen", "copy")
"""The states in which nobody has to do anything."""


@click.command(
    epilog="""\b
Exit status:
  0  it writes; or it has ended, or is a copy, and does not have to
  1  it does not write, or cannot be read; the state says why
  2  it could not be carried out

\b
With --json, one object: state, says and mend are always there; the rest where
the log can be read: origin, kind, dedupe, size, root, at (ms), batch, writing,
writer, anchor, keys, targets, anchors, witnesses, protected_by, used_bytes,
limit_bytes, free_bytes, warning."""
)
@FOLDER
@click.option("--ask", is_flag=True, help="Ask all others, as every start does.")
@AS_JSON
def status(folder: Path, *, ask: bool, as_json: bool) -> None:
    """Say what the log in DIR is, and whether it writes."""
    try:
        with look(folder) as seen:
            found = _found(seen, ask=ask)
    except Held as hold:
        found = _state(hold)
    if as_json:
        voice.say_json(found)
    else:
        _say(found)
    if found["state"] not in _IN_ORDER:
        sys.exit(voice.BROKEN)


def _found(seen: Look, *, ask: bool) -> dict[str, Any]:
    hold, warning = seen.hold, ""
    usage = seen.store.usage()
    try:
        with mended_by(seen.home.folder):
            warning = check_clock(seen.home, seen.head, read_clock())
            if seen.head.frozen:
                raise Held("frozen", f"the log has ended, at size {seen.head.size}")
            if seen.store.role != COPY:
                check_room(usage, seen.home.config, seen.home.folder)
    except Held as error:
        hold = hold or error
    targets = {
        each: target_says(seen, each, ask=ask) for each in seen.home.config.targets
    }
    anchors, witnesses = anchors_say(seen, ask=ask), witnesses_say(seen, ask=ask)
    others = [*targets.values(), anchors, witnesses]
    hold = hold or next((each for each in others if isinstance(each, Held)), None)
    asked = {
        "targets": [*targets.values()],
        "anchors": [anchors],
        "witnesses": [witnesses],
    }
    answered = [name for name, said in asked.items() if ANSWERS in said]
    return {
        **_state(hold),
        **_log(seen),
        "warning": warning,
        "targets": [{"target": each, "says": str(targets[each])} for each in targets],
        "anchors": str(anchors),
        "witnesses": str(witnesses),
        "protected_by": seen.home.protected_by(answered),
        "used_bytes": usage.used_bytes,
        "limit_bytes": usage.limit_bytes,
        "free_bytes": usage.free_bytes,
    }


def _state(hold: Held | None) -> dict[str, Any]:
    if not hold:
        return {"state": _WRITES, "says": "", "mend": ""}
    return {"state": hold.state, "says": str(hold), "mend": hold.mend}


def _log(seen: Look) -> dict[str, Any]:
    charter, newest, held = seen.store.charter, seen.newest, seen.held
    anchor = {"path": str(seen.home.anchor), "batch": held.batch if held else None}
    return {
        "origin": charter.origin,
        "kind": charter.kind,
        "dedupe": charter.dedupe,
        "size": newest.size,
        "root": newest.root.hex(),
        "at": seen.head.at,
        "batch": seen.head.batch,
        "writing": seen.live,
        "writer": _writer(seen.home) if seen.live else "",
        "anchor": anchor,
        "keys": [
            key_document(each)
            for each in (seen.signer.verifier_keys() if seen.signer else [])
        ],
    }


def _writer(home: Home) -> str:
    """Which process writes, as it says in its lock."""
    try:
        return read_file(home.folder / LOCK, 80).decode("ascii", "replace").strip()
    except (OSError, MalformedError):
        return ""


def _protection(found: dict[str, Any]) -> str:
    if found["protected_by"]:
        return f"protected by {' and '.join(found['protected_by'])}"
    says = {each["says"] for each in found["targets"]}
    if says == {NOT_ASKED}:
        return "unprotected, unless the targets answer: --ask"
    for name in ("anchors", "witnesses"):
        if found[name] == NOT_ASKED:
            return f"unprotected, unless the {name} answer: --ask"
    return "unprotected: no target has answered" if says else "unprotected"


def _say(found: dict[str, Any]) -> None:
    """The same for a person."""
    if "origin" in found:
        repeats = ", repeats are logged once" if found["dedupe"] else ""
        voice.fact("log", f"{found['origin']}, {found['kind']} entries{repeats}")
        voice.fact("tree", f"size {found['size']}, root {found['root']}")
        at = time_text(found["at"] // 1000) if found["at"] else "no entry yet"
        voice.fact("newest", f"{at}, in batch {found['batch']}")
    voice.fact("state", found["state"])
    for name in ("says", "mend"):
        if found[name]:
            voice.fact(name, found[name])
    if "origin" not in found:
        return
    if found["warning"]:
        voice.fact("clock", found["warning"])
    running = f"a running process: {found['writer'] or 'unknown'}"
    voice.fact("writer", running if found["writing"] else "none just now")
    anchor = found["anchor"]
    where = "not read" if anchor["batch"] is None else f"at batch {anchor['batch']}"
    voice.fact("anchor", f"{anchor['path']}, {where}")
    for each in found["keys"]:
        voice.fact("key", f"{each['algorithm']} {each['id']} signs {each['signs']}")
    for each in found["targets"]:
        voice.fact("target", f"{each['target']}: {each['says']}")
    for name in ("anchors", "witnesses"):
        if found[name]:
            voice.fact(name, found[name])
    voice.fact("rollback", _protection(found))
    voice.fact(
        "room",
        f"{found['used_bytes']:,} of {found['limit_bytes']:,} bytes used, "
        f"{found['free_bytes']:,} free on the disk",
    )
