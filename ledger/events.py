"""Every line that the log writes about itself, declared once.

An event is a fact in the past tense. `error` means wake somebody, `warning` look
tomorrow; a condition is told when it starts and when it ends. Never a record's
content, never a secret. docs/operations.md has the sentence of each.
"""

from __future__ import annotations

import logging
from typing import Final, NamedTuple

_LOGGER: Final = logging.getLogger("provlog")
# Who runs the log says where its lines go; until then, nowhere.
_LOGGER.addHandler(logging.NullHandler())


class Event(NamedTuple):
    """A kind of line: its name, how urgent it is, and what it says to a person."""

    name: str
    level: int
    says: str


BATCH_COMMITTED: Final = Event(
    "batch_committed", logging.INFO, "A batch is durable, anchored and signed."
)
BATCH_REFUSED: Final = Event(
    "batch_refused",
    logging.ERROR,
    "What was stored was not what was computed; nothing was committed or signed. "
    "Memory, processor or disk may be faulty.",
)
CLOCK_HELD: Final = Event(
    "clock_held",
    logging.ERROR,
    "Wall clock and time since start have parted; nothing is logged until somebody "
    "has looked.",
)
CLOCK_AHEAD: Final = Event(
    "clock_ahead",
    logging.WARNING,
    "At start, the clock was more than a week ahead of the newest entry.",
)
RULES_LEFT_OUT: Final = Event(
    "rules_left_out",
    logging.WARNING,
    "The schema of records, or a profile, is not in the log: batch_bytes or pool_bytes "
    "are less than it has.",
)
HALTED: Final = Event(
    "halted",
    logging.ERROR,
    "A commit or an anchor failed; the process has to end and start again.",
)
HELD: Final = Event(
    "held", logging.ERROR, "The log was opened, and does not write; the state says why."
)
RECOVERED: Final = Event(
    "recovered",
    logging.WARNING,
    "The last process ended between committing a batch and anchoring it; the batch "
    "is part of the log.",
)
ANCHOR_SILENT: Final = Event(
    "anchor_silent",
    logging.ERROR,
    "An anchor elsewhere does not answer; the batch under way waits for it, and "
    "nothing else is logged.",
)
ANCHOR_AGAIN: Final = Event(
    "anchor_again",
    logging.INFO,
    "Every anchor elsewhere holds the newest batch again; the log goes on.",
)
DAMAGE_FOUND: Final = Event(
    "damage_found",
    logging.ERROR,
    "The scrubber has found stored bytes that are not what the tree says.",
)

SCRUB_FAILED: Final = Event(
    "scrub_failed",
    logging.WARNING,
    "The scrubber could not look at the next part of the log; it tries again.",
)
SCRUB_AGAIN: Final = Event(
    "scrub_again", logging.INFO, "The scrubber looks at the log again."
)

PUBLISH_FAILED: Final = Event(
    "publish_failed",
    logging.ERROR,
    "No newer checkpoint can be published; submissions are answered all the same.",
)
PUBLISHED_AGAIN: Final = Event(
    "published_again", logging.INFO, "Checkpoints are published again."
)
QUORUM_MISSED: Final = Event(
    "quorum_missed",
    logging.ERROR,
    "No quorum of the policy's witnesses cosigns; witness_failure says what becomes "
    "of checkpoints.",
)
QUORUM_AGAIN: Final = Event(
    "quorum_again", logging.INFO, "A quorum of witnesses cosigns again."
)
WITNESS_FAILED: Final = Event(
    "witness_failed",
    logging.WARNING,
    "A witness does not cosign; it is asked again, less often, and delays nobody.",
)
WITNESS_AGAIN: Final = Event(
    "witness_again", logging.INFO, "A witness that failed cosigns again."
)
WITNESS_AHEAD: Final = Event(
    "witness_ahead",
    logging.ERROR,
    "A witness says that it has cosigned a larger tree than this log has: the log was "
    "put back, or somebody else signs with its key, or the witness lies.",
)
TARGET_FAILED: Final = Event(
    "target_failed",
    logging.WARNING,
    "A target or webhook cannot be brought up to date; it is tried again, and delays "
    "nobody else.",
)
TARGET_AGAIN: Final = Event(
    "target_again", logging.INFO, "A target or webhook is up to date again."
)
TARGET_HELD: Final = Event(
    "target_held",
    logging.ERROR,
    "A target is ahead of this log, or has another history; nothing is written to it "
    "until the process is started again.",
)
PUBLISHER_DIED: Final = Event(
    "publisher_died",
    logging.ERROR,
    "The process that publishes has died; another takes its place, and goes on.",
)
SERVICE_STARTED: Final = Event(
    "service_started", logging.INFO, "The service listens, and says where."
)
SERVICE_STOPPED: Final = Event(
    "service_stopped", logging.INFO, "Everyone was answered, and all processes ended."
)
OPEN_TO_ALL: Final = Event(
    "open_to_all",
    logging.WARNING,
    "The log has no tokens: every program of this machine can submit.",
)
NOBODY_CAN_SUBMIT: Final = Event(
    "nobody_can_submit",
    logging.WARNING,
    "The log listens to other machines and has no tokens, so nobody can submit.",
)
UNPROTECTED: Final = Event(
    "unprotected",
    logging.WARNING,
    "Nothing outside the log's folder would notice if all of it were put back.",
)
FRONT_END_DIED: Final = Event(
    "front_end_died", logging.ERROR, "A front end has died; another takes its place."
)
WRITER_DIED: Final = Event(
    "writer_died",
    logging.ERROR,
    "The writer has died; the service stops, so that the next start looks at what "
    "was left.",
)
STOP_FORCED: Final = Event(
    "stop_forced",
    logging.ERROR,
    "A process did not end in time and was killed; what was acknowledged is durable.",
)
INDEX_STOPPED: Final = Event(
    "index_stopped",
    logging.WARNING,
    "The index does not go on; lookups find what is new by looking through the log.",
)
MEASURE_FAILED: Final = Event(
    "measure_failed",
    logging.ERROR,
    "What /metrics shows of the log could not be read, and stands still.",
)
REQUEST_FAILED: Final = Event(
    "request_failed",
    logging.ERROR,
    "A fault of this program; the answer carries the same id, and nothing else.",
)

EVENTS: Final = tuple(
    each for each in list(globals().values()) if isinstance(each, Event)
)


_SAYS: Final = {each.name: each.says for each in EVENTS}


def explained(line: str) -> str:
    """A line as it was emitted, with what it says to a person behind it."""
    says = _SAYS.get(line.partition(" ")[0], "")
    return f"{line} ({says})" if says else line


def emit(event: Event, **facts: object) -> None:
    """Write one line."""
    if _LOGGER.isEnabledFor(event.level):
        told = " ".join(f"{name}={_told(value)}" for name, value in facts.items())
        _LOGGER.log(event.level, "%s %s", event.name, told)


def _told(value: object) -> str:
    text = str(value)
    plain = text.isascii() and text.isprintable() and " " not in text
    return text if plain and text else repr(text)
