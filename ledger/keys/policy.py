"""The policy that a log hands to those who verify it, as c2sp.org/tlog-policy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from verifier.errors import MalformedError
from verifier.keys import KeyType, VerifierKey
from verifier.policy import Policy

_LOG_LINE: Final = re.compile(rb"([ \t]*#?[ \t]*log[ \t]+)(\S+)(.*)")


def policy_text(origin: str, keys: Sequence[VerifierKey]) -> str:
    """A policy that believes the log `origin` on its own word: no witness is asked.

    The ML-DSA-44 keys are in comments. Beside Ed25519 keys they would add nothing,
    since one log line that signed is enough.
    """
    if any(key.name != origin for key in keys):
        raise MalformedError(f"a key that is not named {origin}, as the log is")
    text = _HEAD.format(origin=origin)
    text += "".join(f"log {key.text()}\n" for key in _of(keys, KeyType.ED25519))
    text += "quorum none\n"
    if later := _of(keys, KeyType.ML_DSA_COSIGNATURE):
        text += _LATER + "".join(f"#log {key.text()}\n" for key in later)
    if not Policy.parse(text.encode()).logs:
        raise MalformedError("no Ed25519 key, which every checkpoint is signed with")
    return text


def with_keys(
    data: bytes, before: Sequence[VerifierKey], after: Sequence[VerifierKey]
) -> bytes | None:
    """The policy `data` with the keys `after` where those `before` are.

    Every other line stays as somebody wrote it: a policy that lost its witnesses with
    a key would believe the log alone. None where it believes none of these keys.
    """
    types = {key.text().encode(): key.type for key in (*before, *after)}
    lines: list[bytes] = []
    done: set[tuple[bytes, KeyType]] = set()
    for line in data.split(b"\n"):
        found = _LOG_LINE.fullmatch(line)
        kind = types.get(found[2]) if found else None
        if not found or kind is None:
            lines.append(line)
        elif (found[1], kind) not in done:
            done.add((found[1], kind))
            ours = (key.text().encode() for key in _of(after, kind))
            lines += [found[1] + each + found[3] for each in ours]
    made = b"\n".join(lines)
    try:
        Policy.parse(data)
        return made if set(after) & set(Policy.parse(made).logs) else None
    except MalformedError:
        return None


def _of(keys: Sequence[VerifierKey], kind: KeyType) -> list[VerifierKey]:
    return [key for key in keys if key.type is kind]


_HEAD = """\
# Whom to believe about the log {origin}: a policy (c2sp.org/tlog-policy).
#
# Get this file from somebody you trust, never along with the evidence. One of
# the keys below has to have signed; "quorum none" asks no witness, so that the
# log could show others another history. Better: list witnesses, and a quorum.

"""

_LATER = """
# A quantum computer could forge the Ed25519 signatures that the lines above ask
# for. If evidence has to hold in spite of that, use the ML-DSA-44 lines below
# instead: remove the "#" before "log" here, and the "log" lines above, since any
# one of the lines is enough. Published checkpoints carry these signatures; the
# receipt that answers a submission does not, so fetch it again once published.
"""
