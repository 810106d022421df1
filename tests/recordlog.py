"""A small record log and a true bundle out of it, for tests to spoil.

The log's key, the witnesses and the policy are those of tests/testlog.py. The
entry of the bundle is number 6 of 11, and the tree had 4 entries before. Three
witnesses cosigned each tree, at their own times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.records import SMALLEST
from tests.testlog import LOG, TIME, TestLog, checkpoint_text, note
from verifier import Bundle, Entry, Limits, Policy, Receipt, Report, verify_evidence
from verifier.bundle import Before
from verifier.commitment import Opening, commitment
from verifier.evidence import Evidence
from verifier.record import MEDIA_TYPE, Record, encode_record
from verifier.spelling import digest_text

INDEX, SIZE, EARLIER = 6, 11, 4
AT = TIME * 1000
"""The log's own word on when entry 0 came in, in milliseconds."""
EARLIER_TIMES = (TIME - 500, TIME - 400, TIME - 300)
TIMES = (TIME + 100, TIME + 200, TIME + 300)

ARTIFACT = b"the weights of a model"
ARTIFACT_DIGEST = digest_text(sha256(ARTIFACT).digest())
OPENED = Opening(path=("prompt", "text"), salt=bytes(range(32)), value="What is owed?")
CLOSED = Opening(path=("user", 0), salt=bytes(32), value="someone@example.com")


def record_id(number: int) -> str:
    """A UUIDv7."""
    return f"01a0c54a-5ad0-7aa2-bf0c-{number:012x}"


def committed(number: int, *openings: Opening) -> list[dict[str, Any]]:
    """What record `number` carries of the values that `openings` open."""
    return [
        {
            "path": [*each.path],
            "digest": digest_text(
                commitment(
                    salt=each.salt,
                    record_id=record_id(number),
                    path=each.path,
                    value=each.value,
                )
            ),
        }
        for each in openings
    ]


def record(number: int, **members: Any) -> Record:
    """A record that describes ARTIFACT and holds two commitments."""
    return {
        **SMALLEST,
        "id": record_id(number),
        "kind": "content.publish",
        "outputs": [{"name": "weights.bin", "digest": ARTIFACT_DIGEST}],
        "commitments": committed(number, OPENED, CLOSED),
        **members,
    }


def wrapped(body: bytes, number: int = INDEX, **members: Any) -> bytes:
    """An entry around `body`."""
    given: dict[str, Any] = {
        "at": AT + number,
        "by": "s-1",
        "type": MEDIA_TYPE,
        "body": body,
    }
    return Entry(**given | members).encode()


def entries(count: int = SIZE) -> list[bytes]:
    """Entries of a record log."""
    return [wrapped(encode_record(record(n)), n) for n in range(count)]


@dataclass
class RecordLog(TestLog):
    """A log whose witnesses have clocks of their own; it is in memory until written."""

    folder: Path = Path("nowhere")

    def cosigned(self, size: int, times: Sequence[int]) -> bytes:
        """The checkpoint of `size`, cosigned by each witness at its time."""
        text = checkpoint_text(size, self.tree.mth(0, size))
        witnesses = zip(self.witnesses, times, strict=True)
        lines = [each.line(text, time) for each, time in witnesses]
        return note(text, LOG.line(text), *lines)

    def bundle(
        self,
        index: int = INDEX,
        *openings: Opening,
        times: Sequence[int] = TIMES,
        earlier_times: Sequence[int] = EARLIER_TIMES,
    ) -> Bundle:
        """A true bundle for the entry at `index`."""
        size = len(self.entries)
        checkpoint = self.cosigned(size, times)
        return Bundle(
            entry=self.entries[index],
            receipt=Receipt(
                index=index,
                proof=tuple(self.tree.path(index, size)),
                checkpoint=checkpoint,
            ),
            openings=openings,
            before=Before(
                checkpoint=self.cosigned(EARLIER, earlier_times),
                proof=tuple(self.tree.consistency(EARLIER, size)),
            ),
        )


def record_log() -> RecordLog:
    """The log that the bundle is from."""
    return RecordLog(entries=entries())


def true_bundle(**changes: Any) -> Bundle:
    """The true bundle, with one opening, with `changes`."""
    return replace(record_log().bundle(INDEX, OPENED), **changes)


def bundle_of(data: bytes, *openings: Opening) -> Bundle:
    """A true bundle for the entry `data`, whatever that is."""
    log = RecordLog(entries=entries())
    changed = RecordLog(entries=[*log.entries[:INDEX], data, *log.entries[INDEX + 1 :]])
    return changed.bundle(INDEX, *openings)


def check(evidence: Evidence, policy: Policy | None = None, **arguments: Any) -> Report:
    """Verify `evidence` and return what it showed."""
    report = Report()
    limits = arguments.pop("limits", Limits())
    policy = policy or TestLog(Path("nowhere")).policy
    verify_evidence(evidence, policy, limits, report, **arguments)
    return report


def found(report: Report, check: str) -> dict[str, Any]:
    """The one finding of `report` that is called `check`."""
    [finding] = [each.document() for each in report.findings if each.check == check]
    return finding


def words(report: Report) -> list[str]:
    """The names of what was looked at, in order."""
    return [each.check for each in report.findings]
