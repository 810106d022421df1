"""A log's files in a bucket: `s3://BUCKET/PREFIX`, at whoever speaks that protocol.

Where it is asked, and with which key, is said by the environment, as for all tools
that speak it: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY; plain http only with AWS_ALLOW_HTTP=true.

Nothing is overwritten unseen: an object is created where there is none
(If-None-Match), or takes the place of the one that was read (If-Match). Of two who
write at once one is told that it was not first. An answer ends within a time, and
is asked for again a few times only; who calls decides what comes of it.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PreconditionError,
)
from obstore.store import S3Store

from ledger.errors import Refused
from verifier.errors import MalformedError, Unavailable

if TYPE_CHECKING:
    from obstore import PutMode

SCHEME: Final = "s3://"
_ADDRESS: Final = re.compile(
    r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_=-][A-Za-z0-9_.=-]*)*)/?"
)
_PATIENCE: Final = timedelta(seconds=30)
"""One answer: an entry tile may have 16 MiB."""
_CONNECTING: Final = timedelta(seconds=5)
_RETRIES: Final = 2
_NOT_THERE: Final = (NotFoundError, FileNotFoundError)
"""The library raises the second, whatever it says of the first."""
_MACHINE: Final = "169.254.169.254"
"""Where the library asks for a key if it was given none, in clouds."""
_SAID: Final = 200
"""How much of an error of the library is told; the rest is how it looks inside."""


class Seen(NamedTuple):
    """An object's bytes, and what tells them from those that come after them."""

    data: bytes
    tag: str


class Bucket:
    """What is under a prefix of a bucket; a verifier.source.Source that can write."""

    parallel: ClassVar[int] = 8

    def __init__(self, address: str) -> None:
        found = _ADDRESS.fullmatch(address)
        if not found:
            says = f"{address} is no s3://BUCKET/PREFIX in plain letters, without .."
            raise Refused("address", says)
        self._address = address.rstrip("/")
        clear = os.environ.get("AWS_ALLOW_HTTP") == "true"
        if not clear and os.environ.get("AWS_ENDPOINT_URL", "").startswith("http:"):
            says = "AWS_ENDPOINT_URL has no TLS; if that is meant, AWS_ALLOW_HTTP=true"
            raise Refused("address", f"{address} cannot be asked: {says}")
        try:
            self._store = S3Store(
                found[1],
                prefix=found[2].removeprefix("/") or None,
                client_options={
                    "timeout": _PATIENCE,
                    "connect_timeout": _CONNECTING,
                    "allow_http": clear,
                },
                retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE},
            )
        except BaseError as error:
            says = f"{address} cannot be asked: {_told(error)}; look at AWS_…"
            raise Refused("address", says) from None

    def __str__(self) -> str:
        return self._address

    def read(self, path: str, most: int) -> bytes | None:
        """The bytes of the object at `path`."""
        seen = self.look(path, most)
        return seen.data if seen else None

    def look(self, path: str, most: int) -> Seen | None:
        """The same, with their tag."""
        try:
            answer = obstore.get(self._store, path)
            size = answer.meta["size"]
            if size > most:
                says = f"{self}/{path} has {size} bytes; at most {most} are read"
                raise MalformedError(says)
            tag = answer.meta["e_tag"]
            return Seen(bytes(answer.bytes()), tag or "")
        except _NOT_THERE:
            return None
        except BaseError as error:
            raise self._unavailable(path, error) from None

    def names(self) -> list[str]:
        """How the names begin of what is there, up to the first slash."""
        try:
            found = obstore.list_with_delimiter(self._store)
        except BaseError as error:
            raise self._unavailable("", error) from None
        objects = [each["path"] for each in found["objects"]]
        return [*objects, *found["common_prefixes"]]

    def create(self, path: str, data: bytes, headers: dict[str, str]) -> bool:
        """Whether `data` is at `path` now; not if something was there already."""
        return self._put(path, data, headers, "create")

    def replace(
        self, path: str, data: bytes, headers: dict[str, str], *, tag: str
    ) -> bool:
        """Whether `data` has taken the place of the bytes with this tag."""
        if not tag:
            # Without one the condition would be left out, and the other one's lost.
            raise Unavailable(f"{self}/{path} has no ETag to be replaced by")
        return self._put(path, data, headers, {"e_tag": tag})

    def close(self) -> None:
        """Nothing of ours stays open."""

    def _put(
        self, path: str, data: bytes, headers: dict[str, str], mode: PutMode
    ) -> bool:
        try:
            obstore.put(
                self._store,
                path,
                data,
                attributes=headers,
                mode=mode,
                use_multipart=False,
            )
        except (AlreadyExistsError, PreconditionError):
            return False
        except _NOT_THERE as error:
            if mode != "create":
                return False  # what was to be replaced is gone
            raise self._unavailable(path, error) from None
        except BaseError as error:
            raise self._unavailable(path, error) from None
        return True

    def _unavailable(self, path: str, error: Exception) -> Unavailable:
        return Unavailable(f"{self}/{path}: {_told(error)}")


def _told(error: Exception) -> str:
    says = str(error).partition("\n")[0][:_SAID]
    if _MACHINE in says and "AWS_ACCESS_KEY_ID" not in os.environ:
        return f"there is no key for it: AWS_ACCESS_KEY_ID is not set; {says}"
    return says
