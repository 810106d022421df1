"""One address that is asked over HTTP, on a connection that is kept.

No redirect is followed: whoever answers would choose whom we ask next. No proxy is
guessed from the environment, and nothing is unpacked: a small answer cannot become a
large one. What is asked may always be asked twice, by design of all that we ask for,
so a connection that ended while it was kept is no failure.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import ssl
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ledger.clock import stopwatch
from ledger.errors import Refused
from ledger.outbound.address import Address, Reach
from ledger.outbound.answer import NoAnswer, Reply
from ledger.outbound.stream import Stream, opened

_PIECE: Final = 1 << 16
_FIRST_FINAL: Final = 200
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_PATH: Final = re.compile("[!-~]*")
_TOKEN: Final = re.compile("[!-~]+")

_Question = tuple[str, str, bytes | None, Mapping[str, str]]


class Line:
    """The way to one address, for one thread at a time."""

    def __init__(
        self,
        url: str,
        *,
        reach: Sequence[str] = (),
        patience_s: float = 10.0,
        most: int = 65_536,
        token: str | None = None,
    ) -> None:
        self._address = Address.parse(url)
        self._reach = Reach(reach)
        self._patience_s = patience_s
        self._most = most
        self._headers = {
            "Host": self._address.authority,
            "User-Agent": "provlog",
            "Accept-Encoding": "identity",
        }
        if token is not None:
            self._headers["Authorization"] = f"Bearer {_told(token, self._address)}"
        self._tls = _trusting() if self._address.secure else None
        self._stream: Stream | None = None

    def __str__(self) -> str:
        return str(self._address)

    def get(self, path: str = "", *, headers: Mapping[str, str] = _NO_HEADERS) -> Reply:
        """What is at `path`, below the address."""
        return self._ask("GET", path, None, headers, self._patience_s)

    def post(
        self,
        path: str = "",
        body: bytes = b"",
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        patience_s: float | None = None,
    ) -> Reply:
        """What `path`, below the address, says to `body`."""
        if patience_s is None:
            patience_s = self._patience_s
        return self._ask("POST", path, body, headers, patience_s)

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        if self._stream is not None:
            self._stream.end()
            self._stream = None

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        patience_s: float,
    ) -> Reply:
        if not _PATH.fullmatch(path) or "#" in path:
            raise Refused("address", f"{path[:80]!a} is no path that can be asked for")
        where = self._address.path or "/"
        if path:
            where = f"{where.rstrip('/')}/{path.removeprefix('/')}"
        question = (method, where, body, {**headers, **self._headers})
        try:
            return self._answer(question, stopwatch() + patience_s)
        except TimeoutError:
            says = f"no whole answer within {patience_s:g} s"
        except OSError as error:
            says = error.strerror or str(error)
        except http.client.HTTPException:
            says = "what came is no whole answer over HTTP"
        raise NoAnswer(f"{self}: {says}") from None

    def _answer(self, question: _Question, until: float) -> Reply:
        stream = self._stream
        if stream is not None and stream.usable:
            try:
                return self._exchange(stream, question, until)
            except TimeoutError:
                raise
            except OSError:
                # It was ended while nobody used it, or just as we asked.
                if stream.heard:
                    raise
        self.close()
        self._stream = opened(self._address, self._reach, self._tls, until=until)
        return self._exchange(self._stream, question, until)

    def _exchange(self, stream: Stream, question: _Question, until: float) -> Reply:
        stream.begin(until)
        asking = http.client.HTTPConnection(self._address.host)
        asking.auto_open = 0
        asking.sock = stream
        whole = False
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # Who refuses a body may have answered before all of it was read.
                method, where, body, headers = question
                asking.request(method, where, body, headers)
            with asking.getresponse() as response:
                reply = Reply(
                    response.status,
                    {name.lower(): value for name, value in response.getheaders()},
                    self._body(response),
                )
            whole = not response.will_close
        finally:
            if not whole:
                self.close()
        return reply

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        """The body, as it is; NoAnswer if it is not what it has to be."""
        if response.status < _FIRST_FINAL:
            # The answer proper would be taken for the one to our next question.
            raise NoAnswer(f"{self}: it answers {response.status} and goes on")
        coding = response.getheader("Content-Encoding", "identity")
        if coding.strip().lower() != "identity":
            raise NoAnswer(f"{self}: its answer is compressed, which was not asked for")
        body = bytearray()
        while part := response.read1(_PIECE):
            body += part
            if len(body) > self._most:
                raise NoAnswer(f"{self}: its answer has more than {self._most} bytes")
        # One that states no length ends where a crash would end it as well.
        whole = response.isclosed() if response.chunked else response.length == 0
        if not whole:
            raise NoAnswer(f"{self}: its answer ends before it is said to end")
        return bytes(body)


def _told(token: str, address: Address) -> str:
    """`token`, if `address` may be told it; never quoted if not."""
    if not _TOKEN.fullmatch(token):
        raise Refused("token", f"the token for {address} has what no token has")
    if not address.secure and not address.is_here:
        raise Refused(
            "token",
            f"a token is not sent to {address} for all to read on the way; make it "
            "https",
        )
    return token


def _trusting() -> ssl.SSLContext:
    """TLS with whom the system trusts, or those in SSL_CERT_FILE."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
