"""provlog restore: a log put in order again, or gone on with under a new name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any, Final

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER, WITHOUT
from cli.copying import token_for
from cli.hinting import hinted
from cli.trusted import TOKEN_FILE
from ledger.callers.tokenfile import NAME as TOKENS
from ledger.log.states import mended_by
from ledger.store import KINDS
from ledger.upkeep.continuing import begin_again
from ledger.upkeep.promises import Evidence
from ledger.upkeep.restore import Restored
from ledger.upkeep.restore import restore as put_back
from verifier import evidence
from verifier.source import read_file

TWO_HISTORIES: Final = (
    "warning: if the other copy of this folder is still written to, there will "
    "be two histories under one key; nothing mends that, and whoever has a "
    "checkpoint of each can prove it. Make sure that it is gone"
)
NO_TOKENS: Final = (
    "warning: there is no tokens file: every program of this machine can submit, and "
    "no token that was given out is known. If the log had one, put its copy here "
    "before it is served"
)
HEARSAY: Final = (
    "warning: nobody but the copies says that {size} entries are all there were. If "
    "anything was signed after that, it will be contradicted by what this log signs "
    "next, and whoever has it can prove it. Nothing is signed yet: before anything is "
    "appended, ask the targets, monitors, witnesses and holders of receipts for the "
    "newest checkpoint, and repeat this with it if it is larger"
)


@click.command(
    epilog="""\b
Exit status:
  0  DIR can be written to
  1  what was given is refused
  2  it could not be carried out; DIR is as it was, and is held from now on by the
     checkpoints that it was shown and does not have

\b
With --json, one object: size, root, promises (those that were held: who, size, root),
aside (the old store, or null), hearsay (whether only the copies say that this is all),
unidentified (how many entries nobody is known for), written (which files); with
--origin: origin, size, root."""
)
@FOLDER
@click.option(
    "--from",
    "copies",
    multiple=True,
    metavar="COPY",
    help="Where entries are: a backup, an exported folder, an http(s) address. May "
    "be repeated.",
)
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The newest checkpoint that anybody has (a target, a monitor, a witness), or "
    "a receipt or bundle with it. Needed if the anchor is gone. May be repeated.",
)
@TOKEN_FILE
@click.option("--moved", is_flag=True, help="DIR was moved, and the other is gone.")
@WITHOUT
@click.option("--origin", metavar="NAME", help="Go on under a new name, in a new DIR.")
@click.option(
    "--entries",
    "kind",
    type=click.Choice(KINDS),
    help="What the log was made as, if only entries are left.",
)
@click.option(
    "--dedupe/--no-dedupe",
    default=None,
    help="The same, for an opaque log: whether it logs the same bytes once.",
)
@AS_JSON
def restore(folder: Path, *, origin: str | None, as_json: bool, **given: Any) -> None:
    """Put the log in DIR in order, so that it can be written to again.

    The store in DIR, or one that is built from every COPY, is held against all that
    was promised: the tree in the anchor, the checkpoints given, those that lie with
    the copies, and what the targets have. What does not contain them is not put in
    place. A store that is replaced is kept, as DIR/store.old-….

    If DIR is gone altogether: make it, put the log's key file in it as DIR/key, and
    give the backups and exports there are and the newest checkpoint that anybody
    has. Settings are taken from the backup, if DIR has none.

    With --origin the log goes on under another name and other keys, in a new DIR,
    with the entries of one COPY, which is a log or a backup and not an export: for
    when a key was stolen, entries are lost for good, or nobody can say any more what
    was promised.
    """
    if origin is not None:
        _begin_again(folder, origin, given, as_json=as_json)
        return
    if given["moved"]:
        voice.tell(TWO_HISTORIES)
    given["token"] = token_for(given["copies"], given.pop("token_file"))
    with voice.meter() as bar, hinted(given["token"]):
        done = put_back(folder, _evidence(given), watch=bar)
    _say(done, as_json=as_json)
    _tell(done, folder)


def _tell(done: Restored, folder: Path) -> None:
    if done.aside:
        where = quote(str(done.aside))
        voice.tell(f"delete {where} when nobody needs it any more")
    for each in done.written:
        voice.tell(f"written, for it was not there: {each}; see that it is right")
    if done.built and not (folder / TOKENS).exists():
        voice.tell(NO_TOKENS)
    if done.hearsay:
        voice.tell(HEARSAY.format(size=done.head.size))


def _evidence(given: dict[str, Any]) -> Evidence:
    checkpoints: Sequence[Path] = given.pop("checkpoints")
    found = [
        evidence.checkpoint_in(read_file(each, evidence.MAX_BYTES))
        for each in checkpoints
    ]
    return Evidence(checkpoints=found, **given)


def _say(done: Restored, *, as_json: bool) -> None:
    head = done.head
    aside = str(done.aside) if done.aside else None
    if as_json:
        promises = [
            {"root": each.tree.root.hex(), "size": each.tree.size, "who": each.who}
            for each in done.promises
        ]
        voice.say_json(
            {
                "aside": aside,
                "hearsay": done.hearsay,
                "promises": promises,
                "root": head.root.hex(),
                "size": head.size,
                "unidentified": done.unidentified,
                "written": list(done.written),
            }
        )
        return
    built = "a store built from the copies" if done.built else "the store in place"
    voice.fact("restored", f"{built}, and anchored")
    voice.fact("size", head.size)
    voice.fact("root", head.root.hex())
    for each in done.promises:
        voice.fact("holds", f"the tree of size {each.tree.size} that {each.who} has")
    if aside:
        voice.fact("aside", aside)
    if done.unidentified:
        says = f"nobody knows who handed in the last {done.unidentified} entries"
        voice.fact("identity", f"{says}; if they come again they are logged again")


def _begin_again(
    folder: Path, origin: str, given: dict[str, Any], *, as_json: bool
) -> None:
    copies = given.pop("copies")
    more = any(given.values()) or given["dedupe"] is not None
    if len(copies) != 1 or more:
        raise click.UsageError("a new origin takes one --from COPY, and nothing else")
    with mended_by(folder):
        head = begin_again(folder, origin, Path(copies[0]))
    if as_json:
        voice.say_json({"origin": origin, "root": head.root.hex(), "size": head.size})
        return
    voice.fact("origin", origin)
    voice.fact("size", f"{head.size}, with the entries of {copies[0]}")
    voice.fact("root", head.root.hex())
    policy = quote(str(folder / "policy.txt"))
    voice.tell(
        f"it has keys of its own: whoever verifies needs {policy}, and "
        "no policy of the old log accepts it"
    )
