"""provlog completion: what makes a shell complete our commands."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from cli import voice

VARIABLE: Final = "_PROVLOG_COMPLETE"
"""Set by the script while it asks us what could come next."""


@click.command(
    epilog="""\b
In this shell, if it is bash: . <(provlog completion bash)

\b
In every one: put its output where your shell looks, a folder that may have to be made.
  bash  mkdir -p ~/.local/share/bash-completion/completions
        provlog completion bash > ~/.local/share/bash-completion/completions/provlog
  zsh   provlog completion zsh > DIR/_provlog, where DIR is one of $fpath
  fish  mkdir -p ~/.config/fish/completions
        provlog completion fish > ~/.config/fish/completions/provlog.fish"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and files."""
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"nothing is known about {shell}")
    script = made(context.find_root().command, {}, "provlog", VARIABLE)
    # Not source(), which would ask the bash of this machine how old it is.
    voice.say((script.source_template % script.source_vars()).strip())
