"""provlog: one command for each thing a person wants, in the order of a log's life.

The auditor's are the verifier's own command line, which stays usable without this
package.
"""

from __future__ import annotations

import builtins
import sys
from importlib import import_module
from typing import Any, Final

import click

from cli import voice
from cli.arguments import Commands
from cli.completion import VARIABLE


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

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, whose file is read only now.

        All of them together take a quarter of a second, each time somebody gives one.
        """
        if not super().get_command(ctx, cmd_name):
            return None
        file = import_module(f"cli.{_FILES.get(cmd_name, cmd_name)}")
        # Where Python has the word for something else, ours ends in _.
        found = f"{cmd_name}_" if cmd_name in vars(builtins) else cmd_name
        command: click.Command = getattr(file, found)
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """The commands, under what they are for."""
        width = max(map(len, self.commands))
        limit = formatter.width - width - 6
        for title, names in _COMMANDS.items():
            commands = [self.get_command(ctx, each) for each in names]
            rows = [
                (f"{each.name}".ljust(width), each.get_short_help_str(limit))
                for each in commands
                if each
            ]
            with formatter.section(title):
                formatter.write_dl(rows)


_COMMANDS: Final = {
    "Make a log": ("init", "serve", "config", "token", "producer", "policy"),
    "Log and read": (
        *("id", "example", "sign", "submit", "append", "get"),
        *("prove", "list", "show", "check", "checkpoint"),
    ),
    "Check": ("verify", "audit", "monitor", "inspect"),
    "Keep": (
        *("status", "export", "mirror", "backup", "fsck"),
        *("restore", "key", "freeze", "resume"),
    ),
    "Watch": ("witness", "anchor"),
    "Shell": ("completion",),
}
"""Every command, in the order of a log's life."""
_FILES: Final = {
    "list": "listing",
    "verify": "auditing",
    "audit": "auditing",
    "inspect": "auditing",
}
"""The file of a command, where it has another name."""


@click.group(cls=_Provlog, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="provlog")
def main() -> None:
    """A transparency log for AI provenance."""


for _names in _COMMANDS.values():
    for _name in _names:
        # Its name, in its place; the command itself is got when it is given.
        main.add_command(click.Command(_name))


def run() -> None:
    """Run the console script; what cannot be said ends as what cannot be done."""
    try:
        main()
    except OSError:
        sys.exit(voice.NOT_DONE)
