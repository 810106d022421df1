"""Whom we ask: addresses, read strictly, and the IPs that they may lead to.

An address that leads back inside makes us the hand of whoever can choose it, or can
choose what its name resolves to: the cloud's metadata service gives credentials to
any program of the machine that asks. So each IP that a name has is judged, and what
is not of the public internet has to be in the setting `reach`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Self

from ledger.errors import Refused
from ledger.outbound.answer import NoAnswer

Ip = IPv4Address | IPv6Address

# RFC 3986, without user, query and fragment: urlsplit() leaves out control characters
# without a word, and what two readers split in two ways is how one of them is fooled.
_URL: Final = re.compile(
    r"(https?)://"
    r"(\[[0-9a-f:.]+\]|[^\x00- \x7f/?#@:\[\]\\%]+)"
    r"(?::([1-9][0-9]{0,4}))?"
    r"((?:/(?:[a-z0-9._~!$&'()*+,;=:@-]|%[0-9a-f]{2})*)*)",
    re.IGNORECASE,
)
_REST: Final = re.compile(r"[/?#\\]")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_NAME: Final = 253
_PORTS: Final = {"http": 80, "https": 443}
_MAX_PORT: Final = (1 << 16) - 1

_UNICAST: Final = IPv6Network("2000::/3")
"""What is given out as global (RFC 4291); the rest are ways to somewhere nearer."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
_NEAR: Final = tuple(
    map(IPv4Network, ["168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24"])
)
"""Public by their number: services of clouds, which give secrets, and relays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An http or https address; as text no more of it than the host."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str

    def __str__(self) -> str:
        return f"http{'s' if self.secure else ''}://{self.authority}"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `url`; Refused if it is not one that can be asked."""
        parts = _URL.fullmatch(url)
        host = _host(parts[2]) if parts else None
        if parts is None or host is None or int(parts[3] or 1) > _MAX_PORT:
            raise Refused(
                "address",
                f"{_shown(url)} is not an address to ask: one is https://HOST/PATH "
                "or http://, without user, password, query and fragment, and with an "
                "IP in its usual spelling",
            )
        scheme = parts[1].lower()
        named = f"[{host}]" if ":" in host else host
        return cls(
            secure=scheme == "https",
            host=host,
            port=int(parts[3] or _PORTS[scheme]),
            authority=f"{named}:{parts[3]}" if parts[3] else named,
            path=parts[4],
        )

    @property
    def is_here(self) -> bool:
        """Whether it says of itself that it is on this machine."""
        ip = _ip(self.host)
        return self.host == "localhost" or (ip is not None and ip.is_loopback)


class Reach:
    """What may be asked although it is not public, or has no TLS."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._names: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for entry in entries:
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                name = _host(entry)
                if name is None:
                    raise Refused(
                        "reach",
                        f"{entry!a} in the setting reach is no IP, no network such as "
                        "10.1.0.0/16 and no host name",
                    ) from None
                self._names.add(name)

    def check(self, address: Address, ips: Sequence[Ip]) -> None:
        """Return if all that `address` leads to may be asked; NoAnswer if one may not.

        One is enough: whoever answers for the name chooses which one we try.
        """
        if address.host in self._names:
            return
        for ip in map(_plain, ips):
            if any(ip in network for network in self._networks):
                continue
            if not _is_public(ip):
                raise NoAnswer(
                    f"{address} leads to {ip}, which is not of the public internet, "
                    f"and is not asked; if it is meant, put {ip} into the setting reach"
                )
            if not address.secure:
                raise NoAnswer(
                    f"{address} is not asked without TLS; make it https, or put "
                    f"{address.host} into the setting reach"
                )


def parse_ip(text: str) -> Ip:
    """The IP that a resolver gave."""
    return ip_address(text)


def _is_public(ip: Ip) -> bool:
    if isinstance(ip, IPv4Address):
        near = any(ip in network for network in _NEAR)
        return ip.is_global and not ip.is_multicast and not near
    if ip in _NAT64:
        return _is_public(IPv4Address(int(ip) & 0xFFFFFFFF))
    # A relay or a router of ours takes what is inside of these out again.
    inside = [ip.sixtofour, *(ip.teredo or ())]
    public = all(each is None or _is_public(each) for each in inside)
    return public and ip in _UNICAST and ip.is_global


def _plain(ip: Ip) -> Ip:
    """The IP that the kernel connects to: ::ffff:127.0.0.1 is 127.0.0.1."""
    return (isinstance(ip, IPv6Address) and ip.ipv4_mapped) or ip


def _host(text: str) -> str | None:
    """A host as it is asked for, or None if it is neither name nor IP.

    127.0.0.1 is also 2130706433, 0x7f.1 and 0177.0.0.1 to a resolver, and to no
    reader: nothing that ends in a number is a name.
    """
    if text.startswith("["):
        ip = _ip(text[1:-1])
        return ip.compressed if isinstance(ip, IPv6Address) else None
    try:
        name = text.lower() if text.isascii() else text.encode("idna").decode().lower()
    except UnicodeError:
        return None
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return name if _ip(name) else None
    fine = len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels))
    return name if fine else None


def _ip(text: str) -> Ip | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _shown(url: str) -> str:
    """As much of a wrong address as is no secret."""
    if "@" in url:
        return "what has an @"
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    return ascii(f"{scheme}{mark}{re.split(_REST, rest, maxsplit=1)[0]}"[:80])
