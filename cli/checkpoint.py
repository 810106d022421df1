"""provlog checkpoint: the newest one that a log has signed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli import voice
from cli.arguments import AS_JSON, log_and, split_words
from cli.places import Own, opened, tree_in
from cli.trusted import POLICY, TOKEN_FILE, read_policy, read_token
from verifier.policy import name_text
from verifier.report import escape
from verifier.trust import verify_checkpoint


@click.command(
    epilog="""\b
Exit status:
  0  it is on standard output; with a policy, it holds
  1  it does not hold under the policy, and is not shown
  2  it could not be carried out

\b
With --json, one object: origin, size, root, checkpoint (as it was signed), verified,
cosigned (names in the policy).

\b
Example:
  provlog checkpoint https://log.example --policy log.policy > checkpoint"""
)
@log_and("")
@POLICY
@TOKEN_FILE
@AS_JSON
def checkpoint(
    words: tuple[str, ...],
    policy: Path | None,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Print the newest checkpoint of LOG.

    LOG is an address or an exported folder, whose published checkpoint it is, or the
    folder of a log, which signs its newest tree now.
    """
    log, _ = split_words(words, "", least=0, most=0)
    believed = read_policy(policy) if policy else None
    with opened(log, None, read_token(token_file)) as place:
        note, own = place.checkpoint(), isinstance(place, Own)
    cosigned = verify_checkpoint(note, believed).cosigned if believed else {}
    if as_json:
        tree = tree_in(note)
        voice.say_json(
            {
                "origin": tree.origin,
                "size": tree.size,
                "root": tree.root.hex(),
                "checkpoint": note.decode(),
                "verified": believed is not None,
                "cosigned": [name_text(each) for each in cosigned],
            }
        )
    else:
        _show(note)
    if not believed and not own:
        voice.tell("not verified: whom to believe is not said (--policy FILE)")


def _show(note: bytes) -> None:
    """To a file as it is; to a terminal nothing that it would obey."""
    if not sys.stdout.isatty():
        voice.give(note)
        return
    for line in note.decode().removesuffix("\n").split("\n"):
        voice.say(escape(line))
