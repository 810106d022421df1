"""A new log's name: looked at before it is there for ever."""

from __future__ import annotations

from ledger.errors import Refused


def check_origin(origin: str) -> str:
    """Return if somebody can have meant this name; what is odd about it, if anything.

    A name is compared byte by byte, by everybody, for as long as the log is there. So
    what others would write in another way is refused now.
    """
    scheme, found, _ = origin.partition("://")
    host, *path = origin.split("/")
    if found:
        raise _refused(origin, f"leave {scheme}:// out; it is a name, not an address")
    if not all((host, *path)):
        raise _refused(origin, "a part of it is empty; one / between its parts")
    if host != host.lower():
        return f"{host} is a domain in upper case, which others may write in lower"
    if not origin.isascii():
        return f"{origin} has other than ASCII characters, which may look like others"
    if "." not in host or not path:
        return f"{origin} is not a domain and a path, such as log.example/prod"
    return ""


def _refused(origin: str, says: str) -> Refused:
    return Refused("origin", f"the origin {origin!r}: {says}")
