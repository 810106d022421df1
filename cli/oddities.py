"""Settings that are allowed, and that hardly anybody can have meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.callers.tokenfile import Row
from ledger.config import Config
from ledger.http.listening import is_local, parse_address
from ledger.schema.fields import has_field, nearest_field
from ledger.schema.profile import Profile
from verifier.tile import MAX_ENTRY_BYTES, MAX_ENTRY_TILE_BYTES

_SLOW_MS: Final = 5_000
"""Who submits should not wait longer for an answer, as a rule."""
_ELSEWHERE: Final = ("anchor", "key", "targets")


class Odd(NamedTuple):
    """What is odd: the setting that it is about, and what comes of it."""

    setting: str
    says: str


def oddities(config: Config, tokens: list[Row], now_ms: int) -> Iterator[Odd]:
    """What is odd about `config`, in a log that has these `tokens`."""
    yield from _open_doors(config, tokens, now_ms)
    yield from _batches(config)
    yield from _bounds(config)
    yield from _times(config)


def from_elsewhere(variables: dict[str, str]) -> Iterator[Odd]:
    """What is odd about what these variables set, by the name of the setting."""
    for name in _ELSEWHERE:
        if name in variables:
            says = (
                f"{variables[name]} sets it: a command that is given without the "
                "variable looks elsewhere; set it in log.toml"
            )
            yield Odd(name, says)


def of_profiles(profiles: list[Profile]) -> Iterator[Odd]:
    """What is odd about what these demand: a field that the schema does not have."""
    for profile in profiles:
        ways = dict.fromkeys(way for each in profile.demands for way in each.ways)
        for way in ways:
            if not has_field(way):
                near = nearest_field(way)
                mend = f"did you mean {near}?" if near else "does a producer add it?"
                field = ".".join(way)
                says = (
                    f"{profile.name} demands {field}, and no record of the schema has"
                )
                yield Odd("profiles", f"{says} it: {mend}")


def _open_doors(config: Config, tokens: list[Row], now_ms: int) -> Iterator[Odd]:
    host, _ = parse_address(config.listen, "listen")
    good = [
        each
        for each in tokens
        if each.revoked_ms is None and (each.expires_ms or now_ms + 1) > now_ms
    ]
    scopes = frozenset[str]().union(*(each.scopes for each in good))
    if not is_local(host) and not scopes & {"submit", "admin"}:
        says = "it listens to other machines, and no token lets anybody submit"
        yield Odd("listen", f"{says}: provlog token create")
    if not is_local(host) and not config.tls_certificate:
        says = "tokens cross the network for all to read, unless a proxy adds TLS"
        yield Odd("listen", says)
    if config.reads == "token" and not scopes & {"read", "audit", "admin"}:
        yield Odd("reads", "nobody can read: no token lets anybody")
    host, _ = parse_address(config.operations, "operations")
    if not is_local(host):
        yield Odd("operations", "other machines can read how the log is used")


def _batches(config: Config) -> Iterator[Odd]:
    for unit in ("entries", "bytes"):
        pool = getattr(config, f"pool_{unit}")
        if pool < getattr(config, f"batch_{unit}"):
            says = f"no batch becomes as large as batch_{unit}: no more than this waits"
            yield Odd(f"pool_{unit}", says)
    for name in ("pool_bytes", "batch_bytes"):
        if getattr(config, name) < MAX_ENTRY_BYTES:
            says = f"entries above it are refused; one may have {MAX_ENTRY_BYTES} bytes"
            yield Odd(name, says)


def _bounds(config: Config) -> Iterator[Odd]:
    if config.memory_bytes < MAX_ENTRY_TILE_BYTES:
        says = (
            f"an entry tile may have {MAX_ENTRY_TILE_BYTES} bytes, and who reads one "
            "has all of it"
        )
        yield Odd("memory_bytes", says)
    if config.limit_bytes > config.map_bytes:
        yield Odd("limit_bytes", "the store cannot become larger than map_bytes")
    if config.min_free_bytes == 0:
        yield Odd("min_free_bytes", "the disk is filled to its end, for all who use it")
    if config.connections_per_address > config.connections:
        yield Odd("connections_per_address", "there are not so many: see connections")
    for unit in ("entries", "bytes"):
        all_, one = f"{unit}_per_s", f"caller_{unit}_per_s"
        if 0 < getattr(config, all_) < getattr(config, one):
            yield Odd(one, f"one caller cannot have more than all have, in {all_}")


def _times(config: Config) -> Iterator[Odd]:
    interval_ms = config.publish_interval_ms
    if config.ack != "committed":
        if interval_ms >= config.answer_timeout_s * 1000:
            says = "answers take longer than answer_timeout_s, so none comes in time"
            yield Odd("publish_interval_ms", says)
        elif interval_ms > _SLOW_MS:
            says = f"every submission waits for this long: ack is {config.ack!r}"
            yield Odd("publish_interval_ms", says)
    if config.republish_s * 1000 < interval_ms:
        says = "it has no effect below publish_interval_ms"
        yield Odd("republish_s", says)
    if config.scrub_entries_per_s == 0:
        says = "damage is found when something is read, or by provlog fsck, not before"
        yield Odd("scrub_entries_per_s", says)
