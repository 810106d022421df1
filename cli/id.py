"""provlog id: ids for records that are written by hand, or by a program of yours."""

from __future__ import annotations

import click

from capture.ids import IDS
from cli import voice


@click.command(
    "id",
    epilog="""\b
Example:
  provlog id -n 10""",
)
@click.option(
    "-n",
    "count",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many.",
)
def id_(count: int) -> None:
    """Print a new id for a record: a UUIDv7, which no other record has.

    Every record has one, from whoever writes it. The log knows the record by it: what
    is given again with the same id is logged once.
    """
    for _ in range(count):
        if not voice.heard():
            break
        voice.say(IDS.new())
