"""provlog export: the log as files, for any web server, mirror or auditor."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, WITHOUT
from cli.eyes import eyes_of
from ledger.clock import read_clock, stopwatch
from ledger.errors import Refused
from ledger.log.look import look
from ledger.log.states import mended_by
from ledger.objects import SCHEME, Bucket
from ledger.publish import export as publish
from ledger.publish.objects import Objects
from verifier.meter import Meter

UNWITNESSED: Final = (
    "warning: no quorum of witnesses has cosigned this tree; whoever asks for one does "
    "not believe it yet. Repeat this when they answer"
)


class _Files(Meter):
    """A bar for files, which have any number of entries."""

    def _line(self, now: float, done: int, total: int) -> str:
        return super()._line(now, done, total).replace(" entries,", " files,")


@click.command(
    epilog="""\b
Exit status:
  0  DEST has the newest tree
  1  DEST is refused: it holds something else
  2  it could not be carried out; DEST is whole, with the tree that it had

\b
With --json, one object: origin, path, before (the size that DEST had), size, root
(hex), written (how many files), witnessed (whether the quorum has cosigned)."""
)
@FOLDER
@click.argument("dest", metavar="DEST", type=click.Path())
@click.option(
    "--check",
    is_flag=True,
    help="Compare every file in DEST with the log; write what is missing or wrong.",
)
@WITHOUT
@AS_JSON
def export(
    folder: Path, dest: str, without: tuple[str, ...], *, check: bool, as_json: bool
) -> None:
    """Write the log in DIR as files to DEST, or what is new there since the last time.

    The files are those of c2sp.org/tlog-tiles: any web server can serve DEST, and
    provlog audit --policy DIR/policy.txt DEST checks it. The checkpoint is written
    last, so DEST is whole at every moment, and never goes back. The log may be
    running. Name DEST in log.toml, as a target, and it protects the log against
    being put back to an older state without anybody noticing.

    The witnesses of DIR/policy.txt are asked to cosign. What was there before is taken
    to be there still; --check looks at every file.

    DEST may be s3://BUCKET/PREFIX as well; where that is, and the key for it, is
    taken from AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY. Nothing is overwritten there but the checkpoint.
    """
    target = _target(dest)
    with (
        mended_by(folder),
        look(folder) as seen,
        _meter() as bar,
        eyes_of(seen.home, without) as eyes,
    ):
        time = publish.signing_time(seen, read_clock())
        done = publish.export(
            seen,
            target,
            time=time,
            eyes=eyes,
            watch=bar,
            check=check,
            without=without,
        )
    if not done.witnessed:
        voice.tell(UNWITNESSED)
    checkpoint = done.checkpoint
    if as_json:
        voice.say_json(
            {
                "before": done.before,
                "origin": checkpoint.origin,
                "path": dest,
                "root": checkpoint.root.hex(),
                "size": checkpoint.size,
                "witnessed": done.witnessed,
                "written": done.written,
            }
        )
        return
    voice.fact("export", dest)
    voice.fact("size", f"{checkpoint.size}, and {done.before} before")
    voice.fact("root", checkpoint.root.hex())
    if check:
        voice.fact("files", f"all compared; {done.written} written")


def _target(dest: str) -> Path | Objects:
    """What DEST names."""
    if dest.startswith(SCHEME):
        return Objects(Bucket(dest))
    if re.match(r"[a-z][a-z0-9+.-]*:/", dest):
        says = f"{dest} looks like an address; DEST is a folder, which a server serves"
        raise Refused("folder", f"{says}, or s3://BUCKET/PREFIX")
    return Path(dest)


@contextmanager
def _meter() -> Iterator[Meter]:
    bar = _Files(sys.stderr, stopwatch)
    try:
        yield bar
    finally:
        bar.clear()
