"""Where the log listens: addresses, sockets, TLS."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Final

from ledger.config import NAME, Config, place_of
from ledger.errors import Held

_BACKLOG: Final = 1_024


def parse_address(text: str, setting: str) -> tuple[str, int]:
    """HOST:PORT, or [HOST]:PORT; Held if it is neither."""
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    brackets = host != bare
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else -1
    if not colon or not bare or not 0 <= number < 1 << 16 or (":" in bare) != brackets:
        says = f"{setting} is HOST:PORT, such as 127.0.0.1:8421, and not {text!r}"
        mend = f"set {setting} in {place_of(setting, text)}, or --{setting}"
        if setting.startswith("--"):  # a witness, say, has no file of settings
            mend = f"give it as {setting} HOST:PORT"
        raise Held("config", says, mend=mend)
    return bare, number


def is_local(host: str) -> bool:
    """Whether only this machine can reach what listens at `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(text: str, setting: str, count: int, patience_s: int) -> list[socket.socket]:
    """As many sockets at one address, among which the kernel shares what comes.

    Each stays with its front end's successor, so that whoever waits in its queue is
    served by that one.
    """
    host, port = parse_address(text, setting)
    try:
        family, *_, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # The first one is bound as if it did not share: so somebody else who listens
        # there is found out, and so are we by whoever comes at the same moment.
        sockets = [_socket(family, place, shared=False)]
        if count > 1:
            sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(count - 1):
            place = sockets[0].getsockname()
            sockets.append(_socket(family, place, shared=True))
        for each in sockets:
            _prepare(each, patience_s)
            each.listen(_BACKLOG)
    except OSError as error:
        reason = "somebody listens there" if error.errno == errno.EADDRINUSE else error
        says = f"cannot listen at {setting} = {text}: {reason}"
        where = "" if setting.startswith("--") else f" in {place_of(setting, text)}"
        mend = f"set another {setting}{where}, or end who listens there"
        raise Held("config", says, mend=mend) from None
    return sockets


def _socket(family: int, place: tuple[object, ...], *, shared: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(place)
    return made


def _prepare(made: socket.socket, patience_s: int) -> None:
    """What connections inherit: who takes no bytes for this long is let go."""
    made.settimeout(0)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    timeout = getattr(socket, "TCP_USER_TIMEOUT", None)
    if timeout is not None:
        made.setsockopt(socket.IPPROTO_TCP, timeout, patience_s * 1000)


def address_text(made: socket.socket, config: Config) -> str:
    """The address of a socket, as somebody would write it."""
    host, port = made.getsockname()[:2]
    scheme = "https" if config.tls_certificate else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def tls_of(folder: Path, config: Config) -> ssl.SSLContext | None:
    """TLS as it is set, if it is; Held if its files cannot be used."""
    if not config.tls_certificate and not config.tls_key:
        return None
    mend = f"set tls_certificate and tls_key in {NAME}"
    if not (config.tls_certificate and config.tls_key):
        raise Held("config", "TLS needs both a certificate and its key", mend=mend)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    files = (folder / config.tls_certificate, folder / config.tls_key)
    try:
        for each in files:
            each.open("rb").close()  # an error of TLS does not say of which it is
        context.load_cert_chain(*files)
    except ssl.SSLError as error:
        says = f"{files[0]} and {files[1]} are no certificate and its key: {error}"
        raise Held("config", f"TLS cannot begin: {says}", mend=mend) from None
    except OSError as error:
        says = f"{error.filename}: {error.strerror}"
        raise Held("config", f"TLS cannot begin: {says}", mend=mend) from None
    return context
