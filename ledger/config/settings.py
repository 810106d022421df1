"""Every setting, declared once: its name with its unit, its default, its reason.

The file that a new log gets, the table in docs/operations.md and the words of
`provlog config` are made from these lines.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from ledger.errors import Held

MAX_NUMBER: Final = (1 << 63) - 1
"""What an address and an offset in a file have room for."""
MAX_WORKERS: Final = 64
"""Each is a process, with memory and connections of its own; no machine needs more."""


def _set(default: Any, says: str, *, least: int = 1, most: int = MAX_NUMBER) -> Any:
    """A setting: what it is without a word from the operator, and what it is for."""
    bounds = {"least": least, "most": most}
    return field(default=default, metadata={"says": says, **bounds})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one log; relative paths are those in its folder."""

    anchor: str = _set("anchor", "where the anchor is; docs/operations.md: how to move")
    key: str = _set("key", "where the key file is; likewise")
    targets: tuple[str, ...] = _set(
        (),
        "folders and s3://BUCKET/PREFIX that are published to, addresses of copies; "
        "asked at each start",
    )
    anchors: tuple[str, ...] = _set(
        (), "addresses of anchor services, which hold each batch before it is answered"
    )
    anchor_token: str = _set("anchor.token", "the file with the token for them")
    webhooks: tuple[str, ...] = _set(
        (), "addresses that are told of each published checkpoint"
    )
    webhook_secret: str = _set(
        "webhook.secret", "the file with the secret that such news is signed with"
    )
    reach: tuple[str, ...] = _set(
        (), "private addresses and networks that may be asked and told, without TLS too"
    )
    witness_failure: str = _set(
        "closed",
        'without a quorum of the policy\'s witnesses: "closed" publishes nothing, '
        '"open" publishes all the same',
    )
    witness_timeout_ms: int = _set(
        5_000, "how long witnesses are waited for before a checkpoint goes without them"
    )

    pool_entries: int = _set(
        65_536, "how many entries may wait for a batch; more are refused, not queued"
    )
    pool_bytes: int = _set(64 << 20, "how many bytes may wait")
    batch_entries: int = _set(16_384, "how many entries one commit takes")
    batch_bytes: int = _set(
        32 << 20, "how many bytes one commit takes; they are in memory until it is done"
    )
    map_bytes: int = _set(
        1 << 40, "address space for the store, reserved once; it is no disk"
    )
    limit_bytes: int = _set(900 << 30, "how large the store may become")
    min_free_bytes: int = _set(
        1 << 30, "below this much free disk nothing is written; 0: to the end", least=0
    )
    hold_when_ahead_days: int = _set(
        0, "hold when the clock is this far ahead of the newest entry; 0: warn", least=0
    )
    scrub_entries_per_s: int = _set(
        2_000, "how fast a running log re-reads itself; 0: never", least=0
    )

    listen: str = _set("127.0.0.1:8421", "the address and port for producers, readers")
    operations: str = _set(
        "127.0.0.1:8422", "the address and port of /healthz, /readyz and /metrics"
    )
    workers: int = _set(
        2,
        "how many front-end processes; 0: all is done in one process",
        least=0,
        most=MAX_WORKERS,
    )
    tls_certificate: str = _set("", "a PEM file with the chain; empty: no TLS here")
    tls_key: str = _set("", "the PEM file of its private key")
    reads: str = _set("public", 'who may read: "public", or "token" for those with one')
    ack: str = _set(
        "committed",
        'when a submission is answered: "committed", "published" with a checkpoint, or '
        '"witnessed" with one that a quorum has cosigned',
    )
    index: bool = _set(default=True, says="whether entries can be looked up by digest")
    profiles: tuple[str, ...] = _set(
        (),
        "what records have to say beyond the schema: agent-audit, eu-ai-act, or files; "
        "docs/record.md",
    )
    statement_types: tuple[str, ...] = _set(
        (), "the payload types of statements that are taken; none: all of them"
    )
    receipt_algorithm: str = _set(
        "-19",
        'what COSE receipts name as their algorithm: "-19" (Ed25519), or "-8" for '
        "those who know its older name only",
    )
    publish_interval_ms: int = _set(
        1_000, "how often a log that has grown publishes a checkpoint"
    )
    republish_s: int = _set(600, "how often one that has not grown does so again")

    entries_per_s: int = _set(
        0, "how many entries are taken, from all callers; 0: what the disk can", least=0
    )
    bytes_per_s: int = _set(0, "how many bytes of them; 0: any", least=0)
    caller_entries_per_s: int = _set(
        0, "how many entries from one caller; 0: any", least=0
    )
    caller_bytes_per_s: int = _set(0, "how many bytes from one caller; 0: any", least=0)
    caller_requests_per_s: int = _set(
        0, "how many requests of all kinds from one caller; 0: any", least=0
    )
    burst_ms: int = _set(
        1_000, "how much of a rate may be saved up and spent at once, in time"
    )
    connections: int = _set(4_096, "how many connections all front ends have")
    connections_per_address: int = _set(
        2_048, "how many of them from one address; a proxy is one, too"
    )
    memory_bytes: int = _set(
        32 << 20, "how many bytes of bodies and answers a front end holds at once"
    )
    header_timeout_s: int = _set(
        10, "how long a request's head may take, and a connection be idle"
    )
    body_timeout_s: int = _set(
        20, "how long the body of one submission, or an answer's next bytes, may take"
    )
    batch_bytes_per_s: int = _set(
        4_096, "how fast a batch has to come at least; slower ones are ended"
    )
    answer_timeout_s: int = _set(
        30, "how long a submission waits before its outcome is called unknown"
    )
    stop_s: int = _set(10, "how long a stop may take before it is forced")


_CHOICES: Final = {
    "reads": ("public", "token"),
    "ack": ("committed", "published", "witnessed"),
    "witness_failure": ("closed", "open"),
    "receipt_algorithm": ("-19", "-8"),
}
_MAY_BE_EMPTY: Final = ("tls_certificate", "tls_key")


def checked(where: Path | str, name: str, value: Any) -> Any:
    """The value of a setting, as it is kept; Held if it cannot be meant."""
    known = {each.name: each for each in dataclasses.fields(Settings)}
    if name not in known:
        near = get_close_matches(name, known, 1)
        says = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        raise wrong(where, f"{name!r} is not known; {says}")
    match known[name].default:
        case bool():
            fine, wanted = type(value) is bool, "true or false"
        case int():
            least, most = (known[name].metadata[each] for each in ("least", "most"))
            fine = type(value) is int and least <= value <= most
            wanted = f"a number from {least} to {most}"
        case tuple():
            fine = isinstance(value, list) and all(map(_is_text, value))
            value, wanted = (
                tuple(value) if fine else value,
                "a list of texts without NUL",
            )
        case _:
            fine = _is_text(value) or (value == "" and name in _MAY_BE_EMPTY)
            wanted = "a text without NUL"
            if name in _CHOICES:
                fine, wanted = value in _CHOICES[name], " or ".join(_CHOICES[name])
    if not fine:
        raise wrong(where, f"{name} is not {wanted}")
    return value


def _is_text(value: object) -> bool:
    """Whether `value` can name a file, or be an address."""
    return type(value) is str and value != "" and "\0" not in value


def wrong(where: Path | str, says: str) -> Held:
    """Why the settings cannot be used, and where to mend them."""
    if isinstance(where, Path):
        mend = f"edit {where}"
    else:
        out = "leave it out" if where.startswith("--") else "unset it"
        mend = f"set {where} right, or {out}"
    return Held("config", f"{where}: {says}", mend=mend)
