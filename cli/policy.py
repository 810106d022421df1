"""provlog policy: whom a policy believes, and a witness more in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli import voice
from cli.arguments import AS_JSON, Commands
from cli.trusted import read_policy
from cli.witnessing import NewWitness, next_steps, unasked, with_witness
from verifier.durable import write_atomically
from verifier.policy import MAX_BYTES, Group, Policy, name_text
from verifier.source import read_file

_PLACE = click.argument("place", metavar="FILE|DIR", type=click.Path(path_type=Path))


@click.group(cls=Commands)
def policy() -> None:
    """Show whom a policy believes, and have witnesses asked as well."""


@policy.command(
    epilog="""\b
Exit status:
  0  it is a policy
  2  it is none, or could not be read

\b
With --json, one object: path, logs, witnesses, groups, quorum, says."""
)
@_PLACE
@AS_JSON
def show(place: Path, *, as_json: bool) -> None:
    """Say in plain words whom the policy believes, in FILE or of the log in DIR."""
    path = _path(place)
    found = read_policy(path)
    if as_json:
        voice.say_json({"path": str(path), **_document(found)})
        return
    voice.fact("policy", path)
    _say(found)


@policy.command(
    "add-witness",
    epilog="""\b
Exit status:
  0  the witness is in the policy
  1  it was refused, and nothing was changed
  2  it could not be carried out

\b
Examples:
  provlog policy add-witness LOG w1 VKEY --url https://w1.example
  provlog policy add-witness LOG w2 VKEY --url https://w2.example --quorum 2
  provlog policy add-witness policy.txt w3 'witness.example/w3+…'""",
)
@_PLACE
@click.argument("name", metavar="NAME")
@click.argument("vkey", metavar="VKEY")
@click.option("--url", metavar="URL", help="Where the log asks it to cosign.")
@click.option(
    "--quorum",
    "least",
    type=click.IntRange(min=1),
    metavar="K",
    help="How many of them have to have cosigned.  [default: as many as before]",
)
@AS_JSON
def add_witness(
    place: Path,
    name: str,
    vkey: str,
    url: str | None,
    least: int | None,
    *,
    as_json: bool,
) -> None:
    """Have a policy ask the witness NAME as well, whose key is VKEY.

    It becomes a member of the group that is the quorum, which is made where there is
    none. Comments and other lines stay as they are. Take the key from the witness
    itself, or from somebody you trust; provlog witness init prints it. In a log's
    folder it is said what has to be done next, in which order.
    """
    path = _path(place)
    odd = unasked(place, url)
    before = read_policy(path)
    new = NewWitness(
        name=name.encode("utf-8", "surrogateescape"),
        vkey=vkey.encode("utf-8", "surrogateescape"),
        url=url.encode("utf-8", "surrogateescape") if url else None,
    )
    text, after = with_witness(read_file(path, MAX_BYTES), new, least=least)
    # A link stays one: what it leads to is replaced.
    write_atomically(path.resolve(), text)
    with voice.done(f"{path} has the witness"):
        if as_json:
            voice.say_json({"path": str(path), "added": name, **_document(after)})
        else:
            voice.fact("policy", path)
            voice.fact("added", name)
            voice.fact("before", _asks(before))
            voice.fact("now", _asks(after))
    if odd:
        voice.tell(f"warning: {odd}")
    for step in next_steps(after, in_log=place.is_dir()):
        voice.tell(f"next: {step}")


def _path(place: Path) -> Path:
    return place / "policy.txt" if place.is_dir() else place


def _say(found: Policy) -> None:
    for key in found.logs:
        voice.fact("log", f"{key.name}, {key.public_key.algorithm} {key.id.hex()}")
    for name, witness in found.witnesses.items():
        key = witness.key
        where = f", {name_text(witness.url)}" if witness.url else ""
        says = f"{key.name}, {key.public_key.algorithm} {key.id.hex()}{where}"
        voice.fact("witness", f"{name_text(name)}: {says}")
    for name, group in found.groups.items():
        voice.fact("group", f"{name_text(name)}: {_of(group)}")
    voice.fact("believes", _believes(found))
    voice.fact("asks", _asks(found))


def _believes(found: Policy) -> str:
    if not found.logs:
        return "no checkpoint at all: it lists no log"
    count = len(found.logs)
    who = "the key above" if count == 1 else f"any one of the {count} keys above"
    return f"what {who} has signed, if it has the name of the log"


def _asks(found: Policy) -> str:
    if not found.asks_witnesses:
        return "nobody else, so the log could show others another history"
    if found.quorum not in found.groups:
        return f"{name_text(found.quorum)}, who has to have cosigned"
    if len(found.groups[found.quorum].members) == 1:
        return f"{_of(found.groups[found.quorum])}, who has to have cosigned"
    return f"{_of(found.groups[found.quorum])}, who have to have cosigned"


def _of(group: Group) -> str:
    members, least = [name_text(each) for each in group.members], group.least
    if len(members) == 1:
        return members[0]
    count = "all" if least == len(members) else f"any {least}"
    return f"{count} of {', '.join(members)}"


def _document(found: Policy) -> dict[str, Any]:
    return {
        "logs": [
            {
                "name": key.name,
                "id": key.id.hex(),
                "algorithm": str(key.public_key.algorithm),
            }
            for key in found.logs
        ],
        "witnesses": [
            {
                "name": name_text(name),
                "key": each.key.text(),
                "algorithm": str(each.key.public_key.algorithm),
                "url": name_text(each.url) if each.url else None,
            }
            for name, each in found.witnesses.items()
        ],
        "groups": [
            {
                "name": name_text(name),
                "least": group.least,
                "members": [name_text(each) for each in group.members],
            }
            for name, group in found.groups.items()
        ],
        "quorum": name_text(found.quorum),
        "says": f"{_believes(found)}; it asks {_asks(found)}",
    }
