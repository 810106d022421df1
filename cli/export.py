"""provlog export: the log as files, for any web server, mirror or auditor."""

from __future__ import annotations

from pathlib import Path

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER
from ledger import publish
from ledger.clock import read_clock
from ledger.log.look import look
from ledger.log.states import mended_by


@click.command(
    epilog="""\b
Exit status:
  0  DEST has the newest tree
  1  DEST is refused: it holds something else
  2  it could not be carried out; DEST is whole, with the tree that it had"""
)
@FOLDER
@click.argument("dest", metavar="DEST", type=click.Path(path_type=Path))
@AS_JSON
def export(folder: Path, dest: Path, *, as_json: bool) -> None:
    """Write the log in DIR as files to DEST, or what is new there since the last time.

    The files are those of c2sp.org/tlog-tiles: any web server can serve DEST, and
    provlog audit --policy DIR/policy.txt DEST checks it. The checkpoint is written
    last, so DEST is whole at every moment, and never goes back. The log may be
    running. Name DEST in log.toml, as a target, and it protects the log against
    being put back to an older state without anybody noticing.
    """
    with mended_by(folder), look(folder) as seen, voice.meter() as bar:
        done = publish.export(seen, dest, time=read_clock().wall_ms // 1000, watch=bar)
    checkpoint = done.checkpoint
    if as_json:
        voice.say_json(
            {
                "before": done.before,
                "origin": checkpoint.origin,
                "path": str(dest),
                "root": checkpoint.root.hex(),
                "size": checkpoint.size,
            }
        )
        return
    voice.fact("export", dest)
    voice.fact("size", f"{checkpoint.size}, and {done.before} before")
    voice.fact("root", checkpoint.root.hex())
