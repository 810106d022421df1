"""provlog producer key: make a key that signs statements."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

import click

from cli import voice
from cli.arguments import AS_JSON, Named
from ledger.keys.producerkey import ProducerKey, write_producer_key
from verifier.durable import write_atomically
from verifier.keys import Algorithm
from verifier.pem import key_id, key_text

_ALGORITHMS: Final = {
    "ed25519": Algorithm.ED25519,
    "ml-dsa-44": Algorithm.ML_DSA_44,
    "p-256": Algorithm.ECDSA_P256,
}


@click.command(
    epilog="""\b
Exit status:
  0  the key is made
  2  it could not be carried out

\b
With --json, one object: algorithm, id, file (of the private key), and public, which is
PEM, or with --public public_file.

\b
Examples:
  provlog producer key build.key > build.pub
  provlog producer key build.key --algorithm ml-dsa-44 --public build.pub"""
)
@click.argument("file", metavar="FILE", type=Named(path_type=Path, dir_okay=False))
@click.option(
    "--algorithm",
    type=click.Choice(list(_ALGORITHMS)),
    default="ed25519",
    show_default=True,
    help="What kind of key.",
)
@click.option(
    "--public",
    metavar="FILE",
    type=Named(path_type=Path, dir_okay=False),
    help="Write the public key to this new file, and not to standard output.",
)
@AS_JSON
def key(file: Path, algorithm: str, public: Path | None, *, as_json: bool) -> None:
    """Make a new key that signs statements: FILE, which nobody else can read.

    The public key is for whoever registers it. The private key is nobody else's, and
    not the log's: keep it where statements are signed, or in an agent.
    """
    if public is not None:
        _check_apart(public, file)
    made = ProducerKey.generate(_ALGORITHMS[algorithm])
    write_producer_key(file, made)
    id_, text = key_id(made.public), key_text(made.public)
    # How r and s are written is no matter of the key.
    named = made.public.algorithm.removesuffix("-raw")
    with voice.done(f"{file} has the private key"):
        if public is not None:
            write_atomically(public, text.encode())
        if as_json:
            given = {"public_file": str(public)} if public else {"public": text}
            shown = {"algorithm": named, "id": id_, "file": str(file)}
            voice.say_json({**shown, **given})
        elif public is not None:
            voice.fact("key", f"{named} {id_}")
            voice.fact("secret", f"{file}: keep it where statements are signed")
            voice.fact("public", f"{public}: for whoever registers it")
        else:
            voice.give(text.encode())
    voice.tell(f"next: provlog producer add LOG NAME {public or 'PUBLICFILE'}")


def _check_apart(public: Path, file: Path) -> None:
    """Return if the public key can have this file; nothing is made if it cannot."""
    if os.path.lexists(public):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(public))
    if public.resolve() == file.resolve():
        raise click.UsageError(
            f"--public: {public} is where the private key goes; name another file"
        )
    if not public.parent.is_dir():
        raise FileNotFoundError(
            errno.ENOENT, os.strerror(errno.ENOENT), str(public.parent)
        )
