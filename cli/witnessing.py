"""A witness more in a policy, whose other lines stay as somebody wrote them.

What comes out is read again before it is believed: it has the witness, the quorum
that was meant, and everything else as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from ledger.config import Config
from ledger.errors import Held, Refused
from ledger.outbound import NoAnswer
from ledger.outbound.address import Address, Reach, parse_ip
from verifier.errors import MalformedError
from verifier.keys import KeyType, VerifierKey
from verifier.policy import Group, Policy, name_text

_NONE: Final = b"none"
_GROUP: Final = b"witnesses"
"""What a group is called that is made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWitness:
    """What is to be added, as words of a policy."""

    name: bytes
    vkey: bytes
    url: bytes | None = None

    def line(self) -> bytes:
        """The line of a policy that says it."""
        words = [b"witness", self.name, self.vkey]
        return b" ".join(words + ([self.url] if self.url else []))


def with_witness(
    data: bytes, new: NewWitness, *, least: int | None
) -> tuple[bytes, Policy]:
    """The policy `data` with `new` in the group of its quorum; `least` have to agree.

    Without `least` as many as before have to. A policy that has asked nobody, or one
    witness alone, gets a group.
    """
    before = Policy.parse(data)
    _check(before, new)
    lines = data[:-1].split(b"\n")
    if before.quorum in before.groups:
        lines = _in_group(lines, before, new, least)
    else:
        lines = _with_group(lines, before, new, least)
    text = b"\n".join(lines) + b"\n"
    try:
        after = Policy.parse(text)
    except MalformedError as error:
        raise Refused(
            "policy", f"with this witness it would be none: {error}"
        ) from None
    _check_only_added(before, after, new)
    return text, after


def unasked(place: Path, url: str | None) -> str:
    """Why the log in `place` would not ask at `url`, as far as no name is resolved.

    Refused if nobody could. Without quorum a log may publish nothing, so whoever adds
    a witness should hear of it now, and not by being woken.
    """
    address = Address.parse(url) if url is not None else None
    if not place.is_dir():
        return ""
    if address is None:
        return "without --url the log does not ask this witness by itself"
    # Settings that cannot be read are for the log's next start to complain of.
    with suppress(Held, Refused, ValueError):
        host = "127.0.0.1" if address.host == "localhost" else address.host
        try:
            Reach(Config.read(place).reach).check(address, [parse_ip(host)])
        except NoAnswer as error:
            return str(error)
    return ""


def next_steps(policy: Policy, *, in_log: bool) -> Iterator[str]:
    """What is left to be done, in order: whoever verifies comes last.

    Those who have the new policy refuse what nobody has cosigned yet.
    """
    if in_log:
        for key in policy.logs:
            if key.type is KeyType.ED25519:
                says = f"provlog witness add W {quote(key.text())}"
                yield f"where the witness W is, so that it knows this log: {says}"
        yield "start the log's service again: it reads its policy when it starts"
    yield "give the new policy to everybody who verifies with the old one"


def _check(policy: Policy, new: NewWitness) -> None:
    for what, word in (("name", new.name), ("address", new.url or b"-")):
        if not word or any(each <= 0x20 or each == 0x7F for each in word):
            says = f"the {what} {name_text(word)!r} is not one word; leave blanks out"
            raise Refused("witness", says)
    if new.name.startswith(b"#"):
        raise Refused("witness", "a name that begins with # would be a comment")
    try:
        key = VerifierKey.parse(new.vkey.decode())
    except (UnicodeDecodeError, MalformedError) as error:
        raise Refused("key", f"the verifier key: {error}") from None
    if any(each.public_key.raw == key.public_key.raw for each in policy.logs):
        says = "this is the log's own key; a witness is somebody else, with another"
        raise Refused("key", says)
    for name, witness in policy.witnesses.items():
        if witness.key.public_key.raw == key.public_key.raw:
            says = f"{name_text(name)} has this key already; each counts once"
            raise Refused("key", says)
    if new.name in policy.witnesses or new.name in policy.groups:
        says = f"{name_text(new.name)} is in the policy already; give another name"
        raise Refused("witness", says)


def _in_group(
    lines: list[bytes], policy: Policy, new: NewWitness, least: int | None
) -> list[bytes]:
    """The lines with one member more in the group that is the quorum."""
    at = _line_of(lines, b"group", policy.quorum)
    words = lines[at].split()
    if least is not None:
        words[2] = b"%d" % _fitting(
            least, len(policy.groups[policy.quorum].members) + 1
        )
    return [
        *lines[:at],
        new.line(),
        b" ".join([*words, new.name]),
        *lines[at + 1 :],
    ]


def _with_group(
    lines: list[bytes], policy: Policy, new: NewWitness, least: int | None
) -> list[bytes]:
    """The lines with a group, where there was none: the new one, and who was asked."""
    members = [new.name] if policy.quorum == _NONE else [policy.quorum, new.name]
    group, number = _GROUP, 2
    while group in policy.witnesses or group in policy.groups or group == new.name:
        group, number = b"%s-%d" % (_GROUP, number), number + 1
    count = len(members) if least is None else _fitting(least, len(members))
    at = _line_of(lines, b"quorum", policy.quorum)
    made = b" ".join([b"group", group, b"%d" % count, *members])
    return [*lines[:at], new.line(), made, b"quorum " + group, *lines[at + 1 :]]


def _line_of(lines: list[bytes], keyword: bytes, name: bytes) -> int:
    return next(
        at for at, line in enumerate(lines) if line.split()[:2] == [keyword, name]
    )


def _fitting(least: int, members: int) -> int:
    if not 1 <= least <= members:
        says = f"--quorum {least}: it has {members} members then, so 1 to {members}"
        raise Refused("quorum", says)
    return least


def _check_only_added(before: Policy, after: Policy, new: NewWitness) -> None:
    """Return if nobody else is trusted, asked or left out than was meant."""
    witnesses = {
        name: each for name, each in after.witnesses.items() if name != new.name
    }
    groups = {
        name: each for name, each in before.groups.items() if name != before.quorum
    }
    if (
        after.logs != before.logs
        or witnesses != before.witnesses
        or groups.items() - after.groups.items()
        or new.name not in _asked(after).members
    ):
        raise Refused("policy", "it cannot be changed line by line; write it by hand")


def _asked(policy: Policy) -> Group:
    return policy.groups.get(policy.quorum, Group(1, (policy.quorum,)))
