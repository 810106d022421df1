"""One question to the log, and its answer.

Connections are kept, and taken by whoever asks next. Nothing is followed to another
address, no proxy is guessed, and an answer is read no further than the longest that
was asked for.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from capture.line import Line, Stale, connected, positive
from capture.patience import Patience

_MOST_IDLE: Final = 32
_PIECE: Final = 1 << 16
_TRUST: Final = (
    "SSL_CERT_FILE in the environment, or `ca`, names a file of those to trust"
)
_BELOW: Final = re.compile("/v1/(records(:batch)?|openapi.json)$")
"""Addresses that a log has below its own, and that are taken for it."""


class Lost(Exception):
    """No answer came.

    `sent` is whether the question may have been carried out, `again` whether it is
    of any use to ask again.
    """

    def __init__(self, says: str, *, sent: bool, again: bool = True) -> None:
        super().__init__(says)
        self.sent = sent
        self.again = again


class TooLong(Exception):
    """The answer is longer than any that is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request, and how long its answer may be.

    `harmless` says that it may be carried out twice.
    """

    method: str
    path: str
    most: int
    harmless: bool
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came. `cut` says why it did not come to its end, if it did not."""

    status: int
    body: bytes
    cut: str
    retry_after: str


class Wire:
    """The way to one log; any number of threads may ask."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        ca: str | None,
        connect_s: float,
        read_s: float,
    ) -> None:
        self._idle: deque[Line] = deque()
        self.url = url.rstrip("/")
        self._secure, self._host, self._port, self._prefix = _address(url)
        if token is not None and not (token.isascii() and token.isprintable()):
            # Not quoted: it may be most of a token.
            raise ValueError("the token has a character that no token has")
        self._token = token
        self._tls = _trusting(ca) if self._secure else None
        self._connect_s = connect_s
        self._read_s = read_s
        self._heard = False
        self._process = os.getpid()

    def ask(self, question: Question, patience: Patience) -> Answer:
        """The answer to `question`, or Lost."""
        if (line := self._kept()) is not None:
            try:
                return self._exchange(line, question, patience)
            except Stale as error:
                # It was ended while nobody used it; that is no attempt. But whether
                # it was ended before or after it had read this, nobody can tell.
                if not question.harmless:
                    raise Lost(str(error), sent=True) from None
        try:
            return self._exchange(self._opened(patience), question, patience)
        except Stale as error:
            # What speaks TLS ends a connection on which nobody does.
            hint = "" if self._secure or self._heard else "; is it https?"
            raise Lost(f"{error}{hint}", sent=True) from None

    def close(self) -> None:
        """Close what is open and not in use."""
        while self._idle:
            self._idle.pop().close()

    def __del__(self) -> None:
        # Who writes Client(…).submit(…) keeps nothing that could be closed.
        self.close()

    def _kept(self) -> Line | None:
        """A connection that can be used again, if there is one."""
        if self._process != os.getpid():
            # The parent still uses them, and two would read each other's answers.
            self.close()
            self._process = os.getpid()
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return None
            if line.usable():
                return line
            line.close()

    def _opened(self, patience: Patience) -> Line:
        """A new connection."""
        where = f"{self._host} port {self._port}"

        def left_s() -> float:
            return min(self._connect_s, patience.left_s())

        try:
            sock = connected(self._host, self._port, left_s=left_s)
        except (OSError, UnicodeError) as error:
            refused = isinstance(error, ConnectionRefusedError)
            says = f"{_why(error)}; is it running?" if refused else _why(error)
            raise Lost(f"{where} is not reached: {says}", sent=False) from None
        try:
            if self._tls:
                # It bounds the handshake as a whole.
                sock.settimeout(positive(left_s()))
                sock = self._tls.wrap_socket(sock, server_hostname=self._host)
        except BaseException as error:
            sock.close()
            if not isinstance(error, OSError):
                raise
            unknown = isinstance(error, ssl.SSLCertVerificationError)
            hint = f"; {_TRUST}" if unknown else ""
            says = f"no TLS with {where}: {_why(error)}{hint}"
            raise Lost(says, sent=False, again=not unknown) from None
        return Line(self._host, self._port, sock)

    def _exchange(self, line: Line, question: Question, patience: Patience) -> Answer:
        headers = {"User-Agent": "provlog", **question.headers}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            response = line.ask(
                question.method,
                f"{self._prefix}{question.path}",
                question.body,
                headers,
                left_s=lambda: min(self._read_s, patience.left_s()),
            )
            self._heard = True
            with response:
                body, cut = _body(response, question.most)
        except BaseException as error:
            line.close()
            if isinstance(error, OSError | http.client.HTTPException):
                raise Lost(f"no answer came: {_why(error)}", sent=True) from None
            raise
        if cut or response.will_close or len(self._idle) >= _MOST_IDLE:
            line.close()
        else:
            line.rest()
            self._idle.append(line)
        return Answer(
            status=response.status,
            body=body,
            cut=cut,
            retry_after=response.headers.get("Retry-After", ""),
        )


def _body(response: http.client.HTTPResponse, most: int) -> tuple[bytes, str]:
    """The body as far as it came, and why that is not all, if it is not."""
    body = bytearray()
    try:
        while part := response.read1(_PIECE):
            body += part
            if len(body) > most:
                raise TooLong(f"it is longer than the {most} bytes it may have")
    except (OSError, http.client.HTTPException) as error:
        return bytes(body), _why(error)
    # One that states no length ends where a crash would end it as well.
    whole = response.isclosed() if response.chunked else response.length == 0
    return bytes(body), "" if whole else "it ends before it is said to end"


def _trusting(ca: str | None) -> ssl.SSLContext:
    """What TLS is spoken with, trusting those in the file `ca`, or the system's."""
    try:
        return ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise ValueError(f"{ca} has no certificate that can be read") from None
    except OSError as error:  # it does not say of which file
        raise type(error)(error.errno, error.strerror, ca) from None


def _address(url: str) -> tuple[bool, str, int, str]:
    """Whether with TLS, host, port and prefix."""
    try:
        parts = urlsplit(url)
        secure = {"http": False, "https": True}[parts.scheme]
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        # A query and a password would be left out without a word.
        more = parts.query or parts.fragment or "@" in parts.netloc
        if not host or more or not re.fullmatch("[!-~]+", url):
            raise ValueError
    except (KeyError, ValueError):
        shown = url.rpartition("@")[2][:80]  # a password stands before it
        raise ValueError(
            f"{shown!a} is not the http or https address of a log, without password "
            "and query"
        ) from None
    path = parts.path.rstrip("/")
    if below := _BELOW.search(path):
        log = url.rstrip("/").removesuffix(below[0])
        raise ValueError(f"{url} is an address below a log's own; give {log}")
    return secure, host, port, path


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
