"""Whom the person at the terminal believes, and who he is: a policy, and a token."""

from __future__ import annotations

import os
import stat
from argparse import ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from cli import voice
from verifier.arguments import parse_final
from verifier.checkpoint import Checkpoint
from verifier.errors import MalformedError, Unavailable
from verifier.policy import MAX_BYTES, Policy, name_text
from verifier.trust import verify_checkpoint

POLICY: Final = click.option(
    "--policy",
    metavar="FILE",
    envvar="PROVLOG_POLICY",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Whom to believe (c2sp.org/tlog-policy).",
)
FINAL: Final = click.option(
    "--final",
    metavar="SIZE:ROOT",
    callback=lambda _context, _option, text: _final(text),
    help="The last tree of a log whose key was lost; root in hex or base64.",
)
TOKEN_FILE: Final = click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where a token is, else in PROVLOG_TOKEN. Never on the command line, which "
    "others can see.",
)

_VARIABLE: Final = "PROVLOG_TOKEN"
_MAX_TOKEN_BYTES: Final = 4_096
_TOKEN: Final = frozenset(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A checkpoint that a log of the policy has signed, and who stands for it, too.

    `enough` says whether those who have cosigned are the policy's quorum, which may
    be nobody, and `witnessed` that it is somebody.
    """

    checkpoint: Checkpoint
    enough: bool
    witnessed: bool
    cosigned: tuple[str, ...]
    missing: tuple[str, ...]


def _final(text: str | None) -> tuple[int, bytes] | None:
    """The tree that --final names, by the auditor's own rule."""
    try:
        return None if text is None else parse_final(text)
    except ArgumentTypeError as error:
        raise click.BadParameter(str(error)) from None


def standing(note: bytes, policy: Policy) -> Standing:
    """What `policy` says of the checkpoint in `note`, with or without its quorum."""
    alone = Policy(policy.logs, policy.witnesses, policy.groups, b"none")
    trusted = verify_checkpoint(note, alone)
    names = policy.witnesses if policy.asks_witnesses else {}
    enough = policy.satisfied_by(trusted.cosigned.keys())
    return Standing(
        checkpoint=trusted.checkpoint,
        enough=enough,
        witnessed=enough and policy.asks_witnesses,
        cosigned=tuple(name_text(name) for name in trusted.cosigned),
        missing=tuple(
            name_text(name) for name in names if name not in trusted.cosigned
        ),
    )


def say_unwitnessed(found: Standing) -> None:
    """Tell whoever asks witnesses that the log alone stands for this."""
    if not found.enough:
        voice.tell(
            "not witnessed: the policy's quorum has not cosigned this checkpoint; "
            f"missing: {', '.join(found.missing)}"
        )


def read_policy(path: Path) -> Policy:
    """The policy in the file at `path`; what is wrong with it proves nothing."""
    if path.is_dir():
        says = f"{path} is a folder; the policy of a log is {path / 'policy.txt'}"
        raise Unavailable(says)
    try:
        return Policy.parse(_read(path, MAX_BYTES))
    except MalformedError as error:
        raise Unavailable(f"{path}: {error}") from None


def needed(path: Path | None) -> Policy:
    """The policy that was named, without which there is nothing to believe by."""
    if path is None:
        raise click.UsageError(
            "whom to believe is not said; give --policy FILE or set PROVLOG_POLICY. "
            "Who runs the log has one, policy.txt in its folder"
        )
    return read_policy(path)


def read_token(path: Path | None) -> str | None:
    """The token in the file at `path`, or in the environment, if there is one."""
    if path is None:
        where, text = _VARIABLE, os.environ.get(_VARIABLE, "")
        if not text:
            return None
    else:
        where, text = str(path), _token_in(path)
    if not text or not _TOKEN.issuperset(text):
        raise click.UsageError(f"{where} has no token, which is one word in one line")
    return text


def _token_in(path: Path) -> str:
    mode = os.stat(path).st_mode
    text = _read(path, _MAX_TOKEN_BYTES).decode("ascii", "replace").strip()
    if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
        voice.tell(f"warning: others can read the token; chmod 600 {path}")
    return text


def _read(path: Path, most: int) -> bytes:
    """The bytes of a file that a person named; it may be a pipe."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Unavailable(f"{path} has more than {most} bytes, the most that is read")
    return data
