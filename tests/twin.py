"""The two verifiers, and what they say of the same bytes.

`ours` is the verifier, `copied` its reading copy. A verdict is HOLDS, a word of
docs/format.md, 14.3, or UNDECIDED: then it could not be carried out. `agree` is what
the tests of the copy are about: one verdict, as far as both have looked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

from tests.reference.rfc6962 import Tree
from tests.testlog import LOG, b64, checkpoint_text, note, policy_text, receipt_text
from verifier import MalformedError, Policy, Report, VerificationError, standalone
from verifier.evidence import EntryNeededError, parse_evidence, verify_evidence
from verifier.trust import Limits

HOLDS = "holds"
UNDECIDED = standalone.UNDECIDED
BEHIND = frozenset(
    {HOLDS, "signature", "quorum", "inclusion", "entry", "form", "opening"}
    | {"consistency"}
)
"""What may come of it behind a signature that the copy needs and does not check."""
ALONE = policy_text(witnesses=(), quorum=0)
"""A policy that believes the log of tests/testlog.py, and asks nobody else."""


class Verdict(NamedTuple):
    """What the copy says, why, and what it has not checked."""

    says: str
    why: str = ""
    unchecked: tuple[str, ...] = ()


def ours(
    policy: bytes, evidence: bytes, entry: bytes | None = None, kind: str = "auto"
) -> str:
    """What the verifier says."""
    try:
        trusted = Policy.parse(policy)
    except MalformedError:
        return UNDECIDED
    try:
        found = parse_evidence(evidence)
        verify_evidence(found, trusted, Limits(), Report(), entry=entry, kind=kind)
    except EntryNeededError:
        return UNDECIDED
    except VerificationError as error:
        return error.check
    return HOLDS


def copied(
    policy: bytes, evidence: bytes, entry: bytes | None = None, kind: str = "auto"
) -> Verdict:
    """What the reading copy says."""
    auditor = standalone.Auditor()
    says, why = HOLDS, ""
    with remembering():
        try:
            auditor.trust(policy)
        except standalone.Broken as error:
            return Verdict(UNDECIDED, error.args[1])
        try:
            auditor.verify(evidence, entry, kind)
        except standalone.Broken as error:
            says, why = error.args
    unchecked = [each[20:-1] for each in auditor.report if each.startswith("unch")]
    return Verdict(says, why, tuple(unchecked))


def allowed(copy: Verdict) -> set[str]:
    """What the verifier may say where the copy says this: the same, or what follows."""
    found = {copy.says}
    if any("signature of the statement" in each for each in copy.unchecked):
        # The copy does not read statements, so it does not see a malformed one.
        found |= {"form"}
    if any("signature by" in each for each in copy.unchecked):
        # One that does not verify spoils the note; one that does may be needed.
        found = set(BEHIND) if copy.says == UNDECIDED else found | {"signature"}
    if copy.why.startswith("proofs of misbehaviour"):
        found = {"entry", "form"}
    return found


def agree(
    policy: bytes, evidence: bytes, entry: bytes | None = None, kind: str = "auto"
) -> str:
    """What the verifier says, and AssertionError if the copy says another thing."""
    first = ours(policy, evidence, entry, kind)
    second = copied(policy, evidence, entry, kind)
    assert first in allowed(second), (first, second)
    return first


@contextmanager
def remembering() -> Iterator[None]:
    """The copy's arithmetic as it is, but that no sum is done a second time."""
    with mock.patch.multiple(
        standalone, signed_by=_signed_by, decode_point=_decode_point
    ):
        yield


_signed_by = cache(standalone.signed_by)
_decode_point = cache(standalone.decode_point)


def single(entry: bytes, openings: Sequence[Any] = (), **members: Any) -> bytes:
    """A true bundle for ALONE, of a log that has this one entry."""
    tree = Tree([entry])
    text = checkpoint_text(1, tree.mth(0, 1))
    bundle = {
        "schema": "provlog/bundle/1",
        "entry": b64(entry),
        "receipt": b64(receipt_text(0, [], note(text, LOG.line(text)))),
        "openings": list(openings),
    }
    return json.dumps(bundle | members).encode()
