"""provlog: one command for each thing a person wants.

The operator's come first, in the order of a log's life. The auditor's are the
verifier's own command line, which stays usable without this package.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from cli import voice
from cli.append import append
from cli.arguments import Commands
from cli.backup import backup
from cli.export import export
from cli.freeze import freeze
from cli.fsck import fsck
from cli.init import init
from cli.key import key
from cli.restore import restore
from cli.resume import resume
from cli.serve import serve
from cli.status import status
from verifier import __main__ as verifier

_AUDITORS: Final = {
    "verify": "Check a bundle or a tlog-proof, offline.",
    "audit": "Check a whole log: every entry, every tile, the root.",
    "monitor": "See that a log has grown, and only grown.",
    "inspect": "Say what a file is, verifying nothing.",
}


class _Provlog(Commands):
    """Our commands, with one way to end for all of them."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Carry out one command, and end in 0, 1 or 2, whatever happens inside."""
        voice.open_streams()
        options["standalone_mode"] = False
        try:
            with voice.spoken(), voice.aloud():
                # What --help returns is its status; what a command returns is None.
                ended = super().main(*args, **options) or voice.HOLDS
        except SystemExit as end:
            ended = end.code
        sys.exit(voice.ended(ended))


@click.group(cls=_Provlog, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="provlog")
def main() -> None:
    """A transparency log for AI provenance."""


def run() -> None:
    """Run the console script; what cannot be said ends as what cannot be done."""
    try:
        main()
    except OSError:
        sys.exit(verifier.NOT_DONE)


class _PassedOn(click.Command):
    """A command whose arguments are read by the verifier alone, "--" among them."""

    ignore_unknown_options = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as they are."""
        ctx.args = list(args)
        return []


def _run(context: click.Context) -> None:
    name = context.info_name or ""
    sys.exit(verifier.main([name, *context.args], prog="provlog"))


for _command in (
    *(init, serve, append, status, key, freeze, resume),
    *(export, backup, fsck, restore),
):
    main.add_command(_command)
for _name, _says in _AUDITORS.items():
    _callback = click.pass_context(_run)
    main.add_command(_PassedOn(_name, callback=_callback, help=_says))
