"""Arguments that commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

FOLDER: Final = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
WITHOUT: Final = click.option(
    "--without",
    multiple=True,
    metavar="TARGET",
    help="Do without the answer of this target. May be repeated.",
)
