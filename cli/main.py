"""provlog: one command for each thing a person wants, in the order of a log's life.

The auditor's are the verifier's own command line, which stays usable without this
package.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from cli import voice
from cli.append import append
from cli.arguments import Commands
from cli.auditing import PassedOn
from cli.backup import backup
from cli.check import check
from cli.checkpoint import checkpoint
from cli.completion import VARIABLE, completion
from cli.config import config
from cli.export import export
from cli.freeze import freeze
from cli.fsck import fsck
from cli.get import get
from cli.id import id_
from cli.init import init
from cli.key import key
from cli.listing import list_
from cli.policy import policy
from cli.prove import prove
from cli.restore import restore
from cli.resume import resume
from cli.serve import serve
from cli.status import status
from cli.submit import submit
from cli.token import token
from verifier import __main__ as verifier
from verifier.errors import QuorumError

_UNWITNESSED: Final = (
    "a receipt is given before the witnesses have seen its checkpoint; have it again, "
    "with their cosignatures: provlog get LOG INDEX --witnessed --out FILE"
)


class _Provlog(Commands):
    """Our commands, with one way to end for all of them."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Carry out one command, and end in 0, 1 or 2, whatever happens inside."""
        voice.open_streams()
        options["standalone_mode"] = False
        options["complete_var"] = VARIABLE
        try:
            with voice.spoken(), voice.aloud():
                # What --help returns is its status; what a command returns is None.
                ended = super().main(*args, **options) or voice.HOLDS
        except SystemExit as end:
            ended = end.code
        sys.exit(voice.ended(ended))

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, under what they are for."""
        width = max(map(len, self.commands))
        limit = formatter.width - width - 6
        for title, commands in _COMMANDS.items():
            rows = [
                (f"{each.name}".ljust(width), each.get_short_help_str(limit))
                for each in commands
            ]
            with formatter.section(title):
                formatter.write_dl(rows)


_COMMANDS: Final = {
    "Make a log": (init, serve, config, token, policy),
    "Log and read": (id_, submit, append, get, prove, list_, check, checkpoint),
    "Check": (
        PassedOn(
            "verify",
            "Check a bundle or a tlog-proof, offline.",
            {QuorumError.check: _UNWITNESSED},
        ),
        PassedOn("audit", "Check a whole log: every entry, every tile, the root.", {}),
        PassedOn("monitor", "See that a log has grown, and only grown.", {}),
        PassedOn("inspect", "Say what a file is, verifying nothing.", {}),
    ),
    "Keep": (status, export, backup, fsck, restore, key, freeze, resume),
    "Shell": (completion,),
}
"""Every command, in the order of a log's life."""


@click.group(cls=_Provlog, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="provlog")
def main() -> None:
    """A transparency log for AI provenance."""


for _commands in _COMMANDS.values():
    for _command in _commands:
        main.add_command(_command)


def run() -> None:
    """Run the console script; what cannot be said ends as what cannot be done."""
    try:
        main()
    except OSError:
        sys.exit(verifier.NOT_DONE)
