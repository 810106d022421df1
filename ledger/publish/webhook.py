"""Telling an address what has happened, so that it can tell that it was us.

Whoever is told the same twice can see it: the id of an event is a function of what
happened, not of the attempt. What is signed is `id.time.body`, so that old news cannot
be sent again later, nor one body under the id of another.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Final

from ledger.errors import Held, Refused
from ledger.keys.private import read_private, write_private
from ledger.outbound import Line, NoAnswer
from verifier.errors import MalformedError
from verifier.spelling import parse_decimal

ID: Final = "Provlog-Id"
TIME: Final = "Provlog-Time"
SIGNATURE: Final = "Provlog-Signature"

LEAST_SECRET: Final = 32
"""Of bytes; fewer could be guessed by whoever has seen one event."""

_VERSION: Final = "v1="
# Without ".", or one signature would serve for two ways to split what it signs.
_ID: Final = re.compile("[0-9A-Za-z_-]{1,128}")
_SUCCESS: Final = range(200, 300)


class Webhook:
    """An address that is told; who tells it keeps what it has not yet been told."""

    def __init__(self, url: str, secret: bytes, *, reach: Sequence[str] = ()) -> None:
        self._line = Line(url, reach=reach)
        self._secret = secret

    def __str__(self) -> str:
        return str(self._line)

    def tell(self, event: Mapping[str, object], *, id: str, time_s: int) -> None:  # noqa: A002 - the word of the header
        """Return if it has taken `event`; NoAnswer if that is not known."""
        if not _ID.fullmatch(id):
            raise ValueError("the id of an event is of letters, digits, - and _")
        body = json.dumps(event, separators=(",", ":"), allow_nan=False).encode()
        headers = {
            "Content-Type": "application/json",
            ID: id,
            TIME: str(time_s),
            SIGNATURE: _signature(self._secret, id, str(time_s), body),
        }
        status = self._line.post("", body, headers=headers).status
        if status not in _SUCCESS:
            raise NoAnswer(f"{self}: it answers {status}, and nothing is followed")

    def close(self) -> None:
        """Close the connection; the next event opens another."""
        self._line.close()


def verify_news(
    secret: bytes,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now_s: int,
    most_age_s: int = 300,
) -> str:
    """The id of the event in `body`, for those who are told; Refused if it is not ours.

    Call it with the bytes as they came, before they are parsed, and take each id once.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event, time, signature = (
        given.get(each.lower(), "") for each in (ID, TIME, SIGNATURE)
    )
    if not _ID.fullmatch(event):
        raise Refused("news", f"{ID} is no id of an event")
    expected = _signature(secret, event, time, body)
    # Byte by byte it would tell how much of a guess is right, by how long it takes.
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise Refused("news", f"{SIGNATURE} is not that of this event and this secret")
    try:
        age_s = now_s - parse_decimal(time, TIME)
    except MalformedError as error:
        raise Refused("news", str(error)) from None
    if abs(age_s) > most_age_s:
        raise Refused("news", f"{TIME} is {abs(age_s)} s from now; it may be a replay")
    return event


def make_secret(path: Path) -> None:
    """Write a new secret to `path`; Held if there is something."""
    if os.path.lexists(path):
        says = f"there is something at {path}, and a secret would replace it"
        raise Held("config", says, mend=f"mv {quote(str(path))} elsewhere")
    if not path.parent.is_dir():
        says = f"the secret cannot be written to {path}: {path.parent} is no folder"
        raise Held("config", says, mend=f"mkdir {quote(str(path.parent))}")
    write_private(path, secrets.token_hex(LEAST_SECRET) + "\n")


def read_secret(path: Path, *, make: str = "") -> bytes:
    """The secret in the file at `path`: one line of text; Held if it is no secret.

    `make` is the command that makes it, where there is one.
    """
    try:
        secret = read_private(path).removesuffix("\n").encode()
    except Held as error:
        # Its words are about the log's keys, which do not belong here.
        why = {"key_missing": "it cannot be read", "key_damaged": "it is no text"}
        says = why.get(error.state, "it is not a file of ours that only we can read")
        raise _no_secret(path, says, make) from None
    if len(secret) < LEAST_SECRET:
        raise _no_secret(path, f"it has fewer than {LEAST_SECRET} bytes", make)
    return secret


def _signature(secret: bytes, event: str, time: str, body: bytes) -> str:
    signed = b".".join([event.encode(), time.encode(), body])
    return _VERSION + hmac.new(secret, signed, hashlib.sha256).hexdigest()


def _no_secret(path: Path, says: str, make: str) -> Held:
    at = quote(str(path))
    make = make or f"(umask 077 && openssl rand -hex 32 > {at})"
    return Held(
        "config",
        f"{path} holds no secret for webhooks: {says}",
        mend=f"{make}, or chmod 600 {at} if it has",
    )
