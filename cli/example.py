"""provlog example: a record of each kind, or a profile, to begin with."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from capture.ids import IDS
from cli import voice
from cli.arguments import AS_JSON
from ledger.errors import Refused
from ledger.schema.examples import example as example_of
from ledger.schema.kinds import KINDS
from ledger.schema.profile import NAMES, STARTERS, read_profile
from verifier.report import escape


@click.command(
    epilog="""\b
Exit status:
  0  it was printed
  1  there is no such kind

\b
With --json, the record in one line; without KIND, one object a line: kind and says.
A profile is TOML, with or without it.

\b
Examples:
  provlog example
  provlog example inference > answer.json
  provlog example --profile agent-audit > LOG/ours.toml"""
)
@click.argument("kind", required=False)
@click.option(
    "--profile",
    type=click.Choice(NAMES),
    help="Print a profile: what a log may demand of records, in log.toml.",
)
@AS_JSON
def example(kind: str | None, profile: str | None, *, as_json: bool) -> None:
    """Print a record of KIND with a new id, as JSON; without KIND, list the kinds.

    What it says is made up: put what happened in its place. What each member means
    is in docs/record.md.
    """
    if profile is not None:
        if kind is not None:
            raise click.UsageError("give either KIND, or --profile NAME")
        voice.say(read_profile(profile, STARTERS).text.decode().rstrip())
        return
    if kind is None:
        width = max(map(len, KINDS))
        for name, each in KINDS.items():
            if as_json:
                voice.say_json({"kind": name, "says": each.says})
            else:
                voice.say(f"{name:<{width}}  {each.says}")
        return
    if kind not in KINDS:
        says = f"there is no kind {escape(kind)}; provlog example lists all there are"
        raise Refused("kind", says)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    record = example_of(kind) | {"id": IDS.new(), "time": now}
    voice.say(json.dumps(record, indent=None if as_json else 2))
