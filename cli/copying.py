"""COPY on the command line: a token for it, where its address asks for one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cli.arguments import is_address
from cli.places import warn_of_clear
from cli.trusted import read_token


def token_for(copies: Sequence[str], token_file: Path | None) -> str | None:
    """The token for the one address among `copies`; no two of them have the same."""
    addresses = {each for each in copies if is_address(each)}
    if len(addresses) != 1:
        if token_file is not None:
            raise click.UsageError("--token-file is for one http(s) address in --from")
        return None
    token = read_token(token_file)
    warn_of_clear(addresses.pop(), token)
    return token
