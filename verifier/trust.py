"""Whether a checkpoint may be believed: signed by a log, cosigned by a quorum, in time.

Nothing here reads a clock: the limits that depend on time get it as an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from verifier.checkpoint import Checkpoint
from verifier.cosignature import verify_checkpoint_signature
from verifier.errors import (
    AgeError,
    FinalError,
    MalformedError,
    QuorumError,
    UntrustedError,
)
from verifier.hashing import EMPTY_ROOT
from verifier.keys import VerifierKey
from verifier.note import Note
from verifier.policy import Policy, name_text

FUTURE_TOLERANCE_S: Final = 300
"""How far a witness's clock may be ahead of ours before its time is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a caller asks for beyond the policy.

    `now` and `max_age_s` bound the age of the cosignatures. `final` is the size
    and root at which a log whose key was lost has ended. `extensions` allows
    the checkpoint to have extension lines, which nothing here reads.
    """

    now: int | None = None
    max_age_s: int | None = None
    final: tuple[int, bytes] | None = None
    extensions: bool = False


NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedCheckpoint:
    """A checkpoint that holds under a policy, and who stands for it.

    `cosigned` has the time that each of the policy's witnesses states, by the
    witness's name in the policy; `logs` the time, if any, of each log key.
    """

    checkpoint: Checkpoint
    logs: dict[VerifierKey, int | None]
    cosigned: dict[bytes, int]
    not_after: int | None
    """When a quorum had cosigned: by then the tree existed, whoever lies."""
    newest: int | None
    """The latest time at which a quorum, or else the log, still stood for this tree."""


def verify_checkpoint(
    data: bytes, policy: Policy, limits: Limits = NO_LIMITS
) -> TrustedCheckpoint:
    """Return the checkpoint in the note `data` if `policy` and `limits` accept it."""
    note = Note.parse(data)
    checkpoint = Checkpoint.parse(note.text, extensions=limits.extensions)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise MalformedError(
            "the checkpoint's tree is empty, its root is not that of one"
        )

    keys = {*policy.logs, *(each.key for each in policy.witnesses.values())}
    times = {
        key: verify_checkpoint_signature(key, note.text, checkpoint, signature)
        for key, signature in note.of_known(keys)
    }
    logs = {
        key: times[key]
        for key in policy.logs
        if key in times and key.name == checkpoint.origin
    }
    if not logs:
        raise UntrustedError(_why_untrusted(checkpoint.origin, policy))
    cosigned = _cosigned(policy, times, limits.now)
    if not policy.satisfied_by(cosigned.keys()):
        raise QuorumError(_why_no_quorum(policy, times, cosigned, limits.now))
    not_after, newest = _times(policy, cosigned, logs, limits.now)
    trusted = TrustedCheckpoint(
        checkpoint=checkpoint,
        logs=logs,
        cosigned=cosigned,
        not_after=not_after,
        newest=newest,
    )
    _check_age(trusted, limits)
    _check_final(trusted, policy, limits.final)
    return trusted


def _cosigned(
    policy: Policy, times: dict[VerifierKey, int | None], now: int | None
) -> dict[bytes, int]:
    cosigned = {}
    for name, witness in policy.witnesses.items():
        time = times.get(witness.key)
        if time is not None and _believable(time, now):
            cosigned[name] = time
    return cosigned


def _believable(time: int, now: int | None) -> bool:
    return now is None or time <= now + FUTURE_TOLERANCE_S


def _times(
    policy: Policy,
    cosigned: dict[bytes, int],
    logs: dict[VerifierKey, int | None],
    now: int | None,
) -> tuple[int | None, int | None]:
    """By when, and until when, those whom the policy asks stood for the tree."""
    if not policy.asks_witnesses:
        # Nobody else is trusted, so the log's own word on time is as good as its tree.
        stated = [time for time in logs.values() if time and _believable(time, now)]
        return None, max(stated, default=None)
    ordered = sorted(cosigned.values())
    return (
        _first_quorum(policy, cosigned, ordered, latest=False),
        _first_quorum(policy, cosigned, ordered[::-1], latest=True),
    )


def _first_quorum(
    policy: Policy,
    cosigned: dict[bytes, int],
    candidates: Iterable[int],
    *,
    latest: bool,
) -> int | None:
    """The first of `candidates` by which, or since which, a quorum has cosigned.

    A minority that lies about time moves neither: the quorum has to agree. A
    time of 0 states no time.
    """
    for limit in candidates:
        held = {
            name
            for name, time in cosigned.items()
            if time and (time >= limit if latest else time <= limit)
        }
        if policy.satisfied_by(held):
            return limit
    return None


def _check_age(trusted: TrustedCheckpoint, limits: Limits) -> None:
    if limits.max_age_s is None:
        return
    if limits.now is None:
        raise AgeError("a limit on age needs the time of now")
    if trusted.newest is None:
        raise AgeError(
            "no signature that the policy counts states a time, so its age is unknown; "
            "a policy with witnesses, or with the log's ML-DSA-44 key, has one"
        )
    if (age := limits.now - trusted.newest) > limits.max_age_s:
        raise AgeError(
            f"the policy's quorum last stood for this checkpoint {age} s ago; "
            f"at most {limits.max_age_s} s are accepted"
        )


def _check_final(
    trusted: TrustedCheckpoint, policy: Policy, final: tuple[int, bytes] | None
) -> None:
    """After a log's key is lost, its signature alone proves nothing any more."""
    if final is None:
        return
    size, root = final
    checkpoint = trusted.checkpoint
    if checkpoint.size > size:
        raise FinalError(
            f"the log ended at size {size}; this checkpoint has {checkpoint.size}"
        )
    if checkpoint.size == size and checkpoint.root != root:
        raise FinalError(
            f"the final tree of size {size} has another root than this checkpoint"
        )
    if checkpoint.size < size and not policy.asks_witnesses:
        # The thief of the key can sign any smaller tree as well.
        raise FinalError(
            f"nothing ties this checkpoint of size {checkpoint.size} to the final tree "
            f"of size {size}: no witness is asked. Take a receipt for the final size"
        )


def _why_untrusted(origin: str, policy: Policy) -> str:
    own = [key for key in policy.logs if key.name == origin]
    if own:
        wanted = ", ".join(f"{key.name}+{key.id.hex()}" for key in own)
        return f"the checkpoint is not signed by {wanted}"
    listed = ", ".join(sorted({key.name for key in policy.logs})) or "none"
    return f"the checkpoint is by the log {origin[:80]!r}; the policy lists: {listed}"


def _why_no_quorum(
    policy: Policy,
    times: dict[VerifierKey, int | None],
    cosigned: dict[bytes, int],
    now: int | None,
) -> str:
    names = ", ".join(map(name_text, cosigned)) or "none"
    says = (
        f"the policy's quorum is {name_text(policy.quorum)}; "
        f"of its witnesses, {names} cosigned this checkpoint"
    )
    future = [
        name_text(name)
        for name, witness in policy.witnesses.items()
        if name not in cosigned and times.get(witness.key) is not None
    ]
    if future:
        says += (
            f"; {', '.join(future)} state times after {now}: is the time of now right?"
        )
    return says
