"""provlog: one command for each thing a person wants.

So far these are the auditor's: they are the verifier's own command line, which
stays usable without this package.
"""

from __future__ import annotations

import sys
from typing import Final

import click

from verifier import __main__ as verifier

_AUDITORS: Final = {
    "verify": "Check a bundle or a tlog-proof, offline.",
    "audit": "Check a whole log: every entry, every tile, the root.",
    "monitor": "See that a log has grown, and only grown.",
    "inspect": "Say what a file is, verifying nothing.",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as they are."""
        ctx.args = list(args)
        return []


def _run(context: click.Context) -> None:
    name = context.info_name or ""
    sys.exit(verifier.main([name, *context.args], prog="provlog"))


for _name, _says in _AUDITORS.items():
    _callback = click.pass_context(_run)
    main.add_command(_PassedOn(_name, callback=_callback, help=_says))
