"""provlog backup: a copy of a log, verified, that nothing is ever appended to."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER
from ledger.upkeep import copies


@click.command(
    epilog="""\b
Exit status:
  0  the copy is there, and every entry and hash of it is right
  1  DEST was refused
  2  it could not be carried out, and there is no copy

\b
With --json, one object: path, role ("copy"), root (hex) and size."""
)
@FOLDER
@click.argument("dest", metavar="DEST", type=click.Path(path_type=Path))
@AS_JSON
def backup(folder: Path, dest: Path, *, as_json: bool) -> None:
    """Copy the log in DIR to the new folder DEST, and verify all of the copy.

    The log may be running. The copy is of one moment of it, has no key, and says in
    itself that it is a copy: entries are read back from it with provlog restore and
    provlog fsck --repair, and nothing is ever appended to it. The key file is not in
    it, and without that file no backup becomes a log again: keep one apart from it.
    """
    with voice.meter() as bar:
        head = copies.backup(folder, dest, watch=bar)
    if as_json:
        root = head.root.hex()
        voice.say_json(
            {"path": str(dest), "role": "copy", "root": root, "size": head.size}
        )
        return
    voice.fact("backup", dest)
    voice.fact("size", head.size)
    voice.fact("root", head.root.hex())
    says = "copy, which is never written to; every entry and hash was verified"
    voice.fact("role", says)
    if not (dest / "checkpoint").exists():
        voice.tell("it has no checkpoint, for the log cannot sign one; see its status")
    where, copy = quote(str(folder)), quote(str(dest))
    voice.tell(f"if the store is lost: provlog restore {where} --from {copy}")
    voice.tell(
        f"if all of {where} is lost: make it, put the key file in it, and add "
        "--checkpoint NEWEST, the newest checkpoint that anybody has"
    )
