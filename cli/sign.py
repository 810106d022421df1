"""provlog sign: make a statement, which a log takes as what its signer has said."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, Final

import click

from cli import voice
from cli.arguments import AS_JSON, Named
from cli.statements import Made, Wish, check_wish, envelope, signed_again, statement
from cli.typenames import media_type, type_uri
from ledger.errors import Refused
from ledger.keys.agent import agent_key
from ledger.keys.making import Maker
from ledger.keys.producerkey import read_producer_key
from verifier.durable import write_atomically
from verifier.errors import MalformedError
from verifier.pem import key_id
from verifier.spelling import base64_text

_STDOUT: Final = Path("-")
_SUFFIXES: Final = {False: ".cose", True: ".dsse.json"}


@click.command(
    epilog="""\b
Exit status:
  0  it is signed
  1  it was refused: too large, or not what it has to be; nothing was signed
  2  it could not be carried out; nothing was signed

\b
With --json, one object: form (COSE_Sign1 or DSSE), key, algorithm, type, bytes,
signatures (how many there are), and file, or with --out - statement, in base64.

\b
Examples:
  provlog sign run.json --key build.key --issuer https://ci.example --subject run/7
  provlog sign weights.bin --digest --agent --location https://models.example/7
  provlog sign weights.bin --dsse --key build.key \\
    --predicate-type https://slsa.dev/provenance/v1 --predicate provenance.json
  provlog sign weights.bin.dsse.json --add --key second.key"""
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--key",
    metavar="KEYFILE",
    type=click.Path(path_type=Path),
    help="Sign with this private key: Ed25519, P-256 or ML-DSA-44.",
)
@click.option("--agent", is_flag=True, help="Sign with the key in an ssh-agent.")
@click.option(
    "--agent-key",
    "which",
    metavar="WHICH",
    help="Which of its keys: a fingerprint, a comment, or a public key file.",
)
@click.option("--dsse", is_flag=True, help="Make a DSSE envelope, not a COSE_Sign1.")
@click.option(
    "--add", is_flag=True, help="FILE is a DSSE envelope: sign it once more, in place."
)
@click.option(
    "--content-type",
    metavar="TYPE",
    callback=media_type,
    help="What FILE is.  [default: a record, or by the ending of its name]",
)
@click.option("--issuer", metavar="NAME", help="Who says it, often a URI.")
@click.option("--subject", metavar="NAME", help="What it is about.")
@click.option(
    "--chain",
    metavar="PEMFILE",
    type=click.Path(path_type=Path),
    help="Put these certificates in, that of the key first.",
)
@click.option(
    "--digest",
    is_flag=True,
    help="Sign the digest of FILE, which may be of any size, and stays out.",
)
@click.option("--location", metavar="URL", help="With --digest: where FILE is.")
@click.option(
    "--legacy-algorithm",
    is_flag=True,
    help="Call it EdDSA or ES256, for readers who do not know RFC 9864.",
)
@click.option(
    "--predicate-type",
    metavar="URI",
    callback=type_uri,
    help="With --dsse: sign an in-toto statement about FILE, of this type.",
)
@click.option(
    "--predicate",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What the statement says: a JSON object.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=Named(path_type=Path, dir_okay=False, allow_dash=True),
    help="Where to write it, or - for standard output.  [default: FILE.cose, or "
    "FILE.dsse.json]",
)
@AS_JSON
def sign(
    file: Path,
    key: Path | None,
    which: str | None,
    out: Path | None,
    *,
    agent: bool,
    dsse: bool,
    add: bool,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Sign FILE: make a statement, which a log takes as what its signer has said.

    It is a COSE_Sign1, as SCITT (RFC 9943) has it, or a DSSE envelope, in a new file:
    one that is there is not replaced, for it may be logged. A private key that is
    encrypted is for an agent: ssh-add KEYFILE, and then --agent.
    """
    wish = Wish(**wishes)
    check_wish(wish, dsse=dsse, add=add)
    if (key is not None) == (agent or which is not None):
        raise click.UsageError("give either --key KEYFILE, or --agent")
    _check_file(file)
    place = _place(file, out, add=add, dsse=dsse)
    maker: Maker = (
        read_producer_key(key)
        if key is not None
        else agent_key(os.environ.get("SSH_AUTH_SOCK"), which)
    )
    made = (
        _again(maker, file)
        if add
        else (envelope if dsse else statement)(maker, file, wish)
    )
    if place != _STDOUT:
        # Also where a link leads: signed in place is the file itself.
        write_atomically(Path(os.path.realpath(place)), made.data)
    _say(made, maker, place, as_json=as_json)
    if made.form == "COSE_Sign1" and not (wish.issuer and wish.subject):
        voice.tell("a statement log asks for an issuer and a subject, and this has not")


def _check_file(file: Path) -> None:
    """Return unless it is a folder, of which there is more than one way to sign it."""
    if file.is_dir():
        raise click.UsageError(
            f"{file} is a directory: sign the files in it one by one, or one manifest "
            "that names them all with their digests; for a model the tools that sign "
            "models make one"
        )


def _again(maker: Maker, file: Path) -> Made:
    try:
        return signed_again(maker, file)
    except MalformedError as error:
        raise Refused("form", f"{file}: {error}") from None


def _place(file: Path, out: Path | None, *, add: bool, dsse: bool) -> Path:
    """Where the statement goes; nothing is there, or what it is made from."""
    if add and (out is None or out == file):
        return file
    place = out or file.with_name(file.name + _SUFFIXES[dsse])
    if place != _STDOUT and os.path.lexists(place):
        other = "another file" if out else "where else it is to go"
        says = f"{os.strerror(errno.EEXIST)}, and may be logged; name {other}: --out"
        raise FileExistsError(errno.EEXIST, says, str(place))
    return place


def _say(made: Made, maker: Maker, place: Path, *, as_json: bool) -> None:
    id_ = key_id(maker.public)
    # How r and s are written is no matter of the key.
    algorithm = maker.public.algorithm.removesuffix("-raw")
    if as_json:
        shown = {"file": str(place)}
        if place == _STDOUT:
            shown = {"statement": base64_text(made.data)}
        voice.say_json(
            {
                "form": made.form,
                "key": id_,
                "algorithm": algorithm,
                "type": made.type,
                "bytes": len(made.data),
                "signatures": made.signatures,
                **shown,
            }
        )
    elif place == _STDOUT:
        voice.give(made.data)
    else:
        voice.fact("form", made.form)
        voice.fact("key", f"{algorithm} {id_}")
        voice.fact("type", made.type)
        if made.form == "DSSE":
            voice.fact("signatures", made.signatures)
        voice.fact("bytes", len(made.data))
        voice.fact("file", place)
