"""provlog check: which entries have a file, or name it."""

from __future__ import annotations

import sys
from contextlib import ExitStack, suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Final

import click

from cli import voice
from cli.answers import ASKED
from cli.arguments import AS_JSON, is_address, log_and, split_words
from cli.finding import Search
from cli.inputs import MAX_STATEMENT_BYTES
from cli.places import believe, opened
from cli.remote import Remote
from cli.trusted import POLICY, TOKEN_FILE, read_policy, read_token
from ledger.errors import Refused
from ledger.log.forms import record_in
from verifier.cose import PREFIX
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.report import escape
from verifier.spelling import digest_text
from verifier.statement import Statement

_CHUNK: Final = 1 << 20


@click.command(
    epilog="""\b
Exit status:
  0  it is logged; standard output says where
  1  no entry has it, as far as was looked
  2  it could not be carried out

\b
With --json, one object: digest, size (of the log), looked (how many entries were
looked through), more (whether the log could look further than it was asked to),
entries: index, what ("file", "digest", "record" or "statement") and says.

\b
Examples:
  provlog check LOG weights.safetensors
  provlog check https://log.example weights.safetensors --policy log.policy"""
)
@log_and("FILE")
@POLICY
@TOKEN_FILE
@AS_JSON
def check(
    words: tuple[str, ...],
    policy: Path | None,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say which entries of LOG have the bytes of FILE, their digest, or mention it.

    A statement that is about FILE is found as well. FILE is read here and goes
    nowhere: what is asked for is its digest. Each entry that is said was fetched and
    verified; those that are FILE come first. LOG is an address, a log's folder or an
    exported one, which has no index and is looked through as a whole.
    """
    log, (file,) = split_words(words, "FILE", least=1, most=1)
    believed = read_policy(policy) if policy else None
    token, digest = read_token(token_file), _digest(Path(file))
    forms = [digest, *_other_forms(Path(file))]
    with ExitStack() as stack:
        place = stack.enter_context(opened(log, believed, token))
        believe(place, believed)
        service = Remote(log, token) if is_address(log) else None
        if service:
            stack.callback(service.close)
        bar = stack.enter_context(voice.meter())
        search = Search(place, forms, bar, service)
        found = search.found()
    _say(search, digest, as_json=as_json)
    if not found:
        sys.exit(voice.BROKEN)


def _digest(path: Path) -> bytes:
    """The SHA-256 of a file, however large."""
    digest, done = sha256(), 0
    with voice.meter(of_bytes=True) as bar, path.open("rb") as file:
        total = path.stat().st_size
        while piece := file.read(_CHUNK):
            digest.update(piece)
            done += len(piece)
            bar(done, max(total, done))
    return digest.digest()


def _other_forms(path: Path) -> list[bytes]:
    """The digests of what would be logged of the file: a record, or a statement.

    A record in JSON is logged as CBOR, and of a COSE_Sign1 what is signed.
    """
    with path.open("rb") as file:
        data = file.read(MAX_STATEMENT_BYTES + 1)
    if len(data) > MAX_STATEMENT_BYTES:
        return []
    with suppress(Refused):
        if len(data) <= 2 * MAX_BODY_BYTES:
            return [sha256(record_in(data, by_line=False)).digest()]
    if data.startswith(PREFIX):
        with suppress(MalformedError):
            return [sha256(Statement.parse(data).content).digest()]
    return []


def _say(search: Search, digest: bytes, *, as_json: bool) -> None:
    size = search.place.tree.size
    if as_json:
        voice.say_json(
            {
                "digest": digest_text(digest),
                "size": size,
                "looked": search.looked,
                "more": search.more,
                "entries": [asdict(each) for each in search.hits],
            }
        )
        return
    for hit in search.hits:
        voice.say(f"entry {hit.index}  {escape(hit.says)}")
    for index in search.newer:
        voice.tell(f"entry {index} may have it: no published checkpoint has that yet")
    far = "all" if search.looked == size else f"the first {search.looked:,} of"
    if search.more:
        voice.tell(
            f"there may be more: the log was asked {ASKED} times at most, and looked "
            f"through {far} {size:,} entries"
        )
    if not search.hits:
        where = f"{far} {size:,} entries{search.whose}"
        voice.tell(f"not found in {where}: {digest_text(digest)}")
