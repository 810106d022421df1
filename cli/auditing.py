"""verify, audit, monitor and inspect: the auditor's own command line, from ours.

What only we know is added to it here: the policy that the environment names, what a
shell may complete, and what a log's own folder is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import Final

import click
from click.shell_completion import CompletionItem

from cli import voice
from verifier import __main__ as verifier
from verifier.arguments import options_of
from verifier.errors import QuorumError

_POLICY: Final = "--policy"
_VARIABLE: Final = "PROVLOG_POLICY"
_UNWITNESSED: Final = (
    "a receipt is given before the witnesses have seen its checkpoint; have it again, "
    "with their cosignatures: provlog get LOG INDEX --witnessed --out FILE"
)


class PassedOn(click.Command):
    """A command whose arguments are read by the verifier alone, "--" among them."""

    ignore_unknown_options = True

    def __init__(self, name: str, says: str, hints: dict[str, str]) -> None:
        super().__init__(name, callback=self._run, help=says)
        self._hints = hints

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as they are."""
        ctx.args = list(args)
        return []

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        """Options for who begins one; else files, which all of these read."""
        if incomplete.startswith("-"):
            found = options_of(ctx.command.name or "")
            return [
                CompletionItem(each) for each in found if each.startswith(incomplete)
            ]
        return [CompletionItem(incomplete, type="file")]

    def _run(self) -> None:
        context = click.get_current_context()
        name, given = self.name or "", list(context.args)
        options = options_of(name)
        _check_options(given, options, context)
        trusted = os.environ.get(_VARIABLE)
        if trusted and _POLICY in options and not _has_policy(given):
            given = [_POLICY, trusted, *given]
        words = [name, *given]
        status = verifier.main(words, prog="provlog", hints=self._hints)
        if status == voice.NOT_DONE:
            for hint in _of_folders(name, given):
                voice.tell(f"hint: {hint}")
        sys.exit(status)


verify: Final = PassedOn(
    "verify",
    "Check a bundle or a tlog-proof, offline.",
    {QuorumError.check: _UNWITNESSED},
)
audit: Final = PassedOn(
    "audit", "Check a whole log: every entry, every tile, the root.", {}
)
inspect: Final = PassedOn("inspect", "Say what a file is, verifying nothing.", {})


def _options_in(given: Sequence[str]) -> list[str]:
    """What stands before "--" and looks like a long option, without its value."""
    before = given[: given.index("--")] if "--" in given else given
    return [each.partition("=")[0] for each in before if each.startswith("--")]


def _has_policy(given: Sequence[str]) -> bool:
    return _POLICY in _options_in(given)


def _check_options(
    given: Sequence[str], options: Sequence[str], context: click.Context
) -> None:
    """Return unless an option is misspelt: what it is not like, the verifier says."""
    for each in _options_in(given):
        like = get_close_matches(each, options)
        if each not in options and like:
            raise click.NoSuchOption(each, possibilities=like, ctx=context)


def _of_folders(command: str, given: Sequence[str]) -> Iterator[str]:
    """What to do with a log's own folder, which no auditor reads."""
    for before, word in zip(["", *given], given, strict=False):
        option, found, value = word.partition("=")
        is_policy = before == _POLICY or (option == _POLICY and found)
        folder = Path(value if found and is_policy else word)
        own = (folder / "store").is_dir()
        if is_policy and (folder / "policy.txt").is_file():
            yield f"{folder} is a folder; its policy is {folder / 'policy.txt'}"
        elif own and command in ("audit", "monitor"):
            shown = quote(str(folder))
            yield (
                f"{folder} is a log's own folder: provlog fsck {shown}; or audit what "
                f"provlog export {shown} DEST writes"
            )
