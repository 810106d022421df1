"""provlog resume: an operator's word that the clock is right."""

from __future__ import annotations

from pathlib import Path

import click

from cli import voice
from cli.arguments import FOLDER
from ledger.clock import read_clock
from ledger.log.look import look
from ledger.log.resuming import confirm
from verifier.report import time_text


@click.command(
    epilog="""\b
Exit status:
  0  it is confirmed
  2  it could not be carried out"""
)
@FOLDER
def resume(folder: Path) -> None:
    """Confirm that the clock is right, for a log that is held by its clock.

    Look at the clock first: the times that a log writes cannot be changed.
    """
    with look(folder) as seen:
        if seen.hold and seen.hold.state == "copy":
            raise seen.hold  # which has no clock to be held by
        now = read_clock().wall_ms
        confirm(folder, now)
        newest, live = seen.head.at, seen.live
    voice.fact("clock", f"{time_text(now // 1000)}, confirmed to be right")
    voice.fact("newest", time_text(newest // 1000) if newest else "no entry yet")
    if live:
        voice.tell(
            "the process that writes does not look at this before it starts again"
        )
