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


def _pass_on(name: str, says: str) -> None:
    # The arguments go on as they are, --help among them: one place describes them.
    @main.command(
        name,
        help=says,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def _(arguments: tuple[str, ...]) -> None:
        sys.exit(verifier.main([name, *arguments], prog="provlog"))


for _name, _says in _AUDITORS.items():
    _pass_on(_name, _says)
