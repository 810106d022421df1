"""Every number that the log tells about itself, declared once.

A label is a word that this program has declared (a route, a state, a check), or one
that the operator has set (a witness, a target); never anything out of a request:
whoever could choose labels could fill our memory, and that of the monitoring.
docs/operations.md has the sentence of each.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple


class Metric(NamedTuple):
    """A number: its name with its unit, its kind, and what it says to a person."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    says: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def numbers(self) -> int:
        """How many numbers are kept: for a histogram its buckets, the rest, the sum."""
        return len(self.buckets) + 2 if self.kind == "histogram" else 1


# From a commit on a good disk to the timeouts; the goals, 5 and 25 ms, are bounds.
_SECONDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0),
)

REQUESTS: Final = Metric(
    "provlog_requests_total",
    "counter",
    "Requests that were answered, by route and status.",
    ("route", "status"),
)
REQUEST_SECONDS: Final = Metric(
    "provlog_request_seconds",
    "histogram",
    "Time from a request's head to the end of its answer.",
    ("route",),
    _SECONDS,
)
REFUSALS: Final = Metric(
    "provlog_refusals_total",
    "counter",
    "Requests that had no result, by the heading of docs/problems.md that says why.",
    ("check",),
)
SUBMITTED: Final = Metric(
    "provlog_entries_submitted_total",
    "counter",
    "Entries that were handed in: new, repeated (logged before), or refused.",
    ("outcome",),
)
FLAGGED: Final = Metric(
    "provlog_records_flagged_total",
    "counter",
    "Records that were logged and lack what a profile would have liked to see.",
)
BATCHES: Final = Metric(
    "provlog_batches_total", "counter", "Batches that became durable."
)
BATCH_ENTRIES: Final = Metric(
    "provlog_batch_entries",
    "histogram",
    "Entries in a batch.",
    buckets=tuple(float(4**power) for power in range(8)),
)
COMMIT_SECONDS: Final = Metric(
    "provlog_commit_seconds",
    "histogram",
    "Time from closing a batch to its being durable.",
    buckets=_SECONDS,
)
BATCHES_REFUSED: Final = Metric(
    "provlog_batches_refused_total",
    "counter",
    "Batches that were not committed, as what was stored was not what was computed.",
)
CHECKPOINTS_SIGNED: Final = Metric(
    "provlog_checkpoints_signed_total", "counter", "Checkpoints that were signed."
)
HEAD_SIZE: Final = Metric(
    "provlog_head_size", "gauge", "Entries in the newest tree that is durable."
)
PUBLISHED_SIZE: Final = Metric(
    "provlog_published_size", "gauge", "Entries in the newest tree that is published."
)
PUBLISH_AGE_SECONDS: Final = Metric(
    "provlog_publish_age_seconds",
    "gauge",
    "Time since the newest checkpoint was published.",
)
QUORUM: Final = Metric(
    "provlog_quorum",
    "gauge",
    "1 if the policy's quorum has cosigned the newest proposal, or none is asked; "
    "otherwise 0.",
)
WITNESS_SIZE: Final = Metric(
    "provlog_witness_size",
    "gauge",
    "Entries in the newest tree that a witness of the policy has cosigned.",
    ("witness",),
)
WITNESS_AGE_SECONDS: Final = Metric(
    "provlog_witness_age_seconds",
    "gauge",
    "Time since a witness has cosigned, or since the start if it has not.",
    ("witness",),
)
WITNESS_FAILURES: Final = Metric(
    "provlog_witness_failures",
    "gauge",
    "Requests to a witness that had no cosignature as a result, since the start.",
    ("witness",),
)
WITNESS_AHEAD: Final = Metric(
    "provlog_witness_ahead",
    "gauge",
    "1 if a witness says that it has cosigned a larger tree than ours; otherwise 0.",
    ("witness",),
)
TARGET_SIZE: Final = Metric(
    "provlog_target_size",
    "gauge",
    "Entries in the newest tree that a target has, or has been told of.",
    ("target",),
)
TARGET_LAG_SECONDS: Final = Metric(
    "provlog_target_lag_seconds",
    "gauge",
    "How long a target has been without the newest published checkpoint; 0 with it.",
    ("target",),
)
TARGET_FAILURES: Final = Metric(
    "provlog_target_failures",
    "gauge",
    "Attempts to bring a target up that failed, since the start.",
    ("target",),
)
TARGET_HELD: Final = Metric(
    "provlog_target_held",
    "gauge",
    "1 if a target is left alone, as it is ahead of us or has another history; "
    "otherwise 0.",
    ("target",),
)
PUBLISHER_RESTARTS: Final = Metric(
    "provlog_publisher_restarts_total",
    "counter",
    "Processes that publish that ended by themselves and were started again.",
)
POOL_ENTRIES: Final = Metric(
    "provlog_pool_entries", "gauge", "Entries that wait for a batch."
)
POOL_LIMIT_ENTRIES: Final = Metric(
    "provlog_pool_limit_entries", "gauge", "Entries that may wait for a batch."
)
POOL_BYTES: Final = Metric(
    "provlog_pool_bytes", "gauge", "Bytes of the entries that wait for a batch."
)
CONNECTIONS: Final = Metric(
    "provlog_connections", "gauge", "Open connections of all front ends."
)
MEMORY_HELD_BYTES: Final = Metric(
    "provlog_memory_held_bytes",
    "gauge",
    "Bytes of bodies and answers that all front ends hold.",
)
PROCESS_BYTES: Final = Metric(
    "provlog_process_bytes",
    "gauge",
    "Memory that all processes of a kind have for themselves; the store's pages are "
    "not in it.",
    ("process",),
)
START_TIME_SECONDS: Final = Metric(
    "provlog_start_time_seconds",
    "gauge",
    "When the service started, in seconds since 1970.",
)
FRONT_ENDS: Final = Metric(
    "provlog_front_ends", "gauge", "Front-end processes that run."
)
FRONT_END_RESTARTS: Final = Metric(
    "provlog_front_end_restarts_total",
    "counter",
    "Front-end processes that ended by themselves and were started again.",
)
HELD: Final = Metric(
    "provlog_held",
    "gauge",
    "1 while the log does not write, by the state that says why; otherwise 0 or none.",
    ("state",),
)
STORE_USED_BYTES: Final = Metric(
    "provlog_store_used_bytes", "gauge", "Bytes that the store takes."
)
STORE_LIMIT_BYTES: Final = Metric(
    "provlog_store_limit_bytes", "gauge", "Bytes that the store may take."
)
DISK_FREE_BYTES: Final = Metric(
    "provlog_disk_free_bytes", "gauge", "Bytes that are free on the store's disk."
)
DISK_FLOOR_BYTES: Final = Metric(
    "provlog_disk_floor_bytes",
    "gauge",
    "Bytes that stay free on the store's disk: with fewer nothing is written.",
)
SCRUB_POSITION: Final = Metric(
    "provlog_scrub_position", "gauge", "The next entry that the scrubber re-reads."
)
SCRUB_ROUNDS: Final = Metric(
    "provlog_scrub_rounds",
    "gauge",
    "How often the scrubber has re-read the whole log since the start.",
)
SCRUB_AGE_SECONDS: Final = Metric(
    "provlog_scrub_age_seconds",
    "gauge",
    "Time since the scrubber has re-read the whole log, or since the start if it "
    "has not.",
)
SCRUB_FOUND: Final = Metric(
    "provlog_scrub_found", "gauge", "Places that the scrubber has found damaged."
)
INDEX_COVERED: Final = Metric(
    "provlog_index_covered", "gauge", "Entries that can be looked up by digest."
)
MEASURES_FAILED: Final = Metric(
    "provlog_measures_failed_total",
    "counter",
    "Times that the gauges of the log could not be read: they stand still meanwhile.",
)

METRICS: Final = tuple(
    each for each in list(globals().values()) if isinstance(each, Metric)
)
