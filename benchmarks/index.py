"""The index: how fast it follows a log, and how fast something is found in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from benchmarks.grown import grown_log
from benchmarks.measure import peak_mb
from ledger.index.follower import Entries, Follower
from ledger.index.lookup import Lookup
from ledger.log.look import look
from verifier.entry import Entry
from verifier.record import MEDIA_TYPE, encode_record
from verifier.spelling import digest_text

GENESIS = bytes(16)
LOOKUPS = 2_000
RECORDS = 200_000
POISONED = 1_000_000


def run(folder: Path, sizes: Sequence[int]) -> None:
    """Follow logs of `sizes` from their beginning, and look things up."""
    print("the index: opaque entries of 300 bytes, out of the store")
    for size in sizes:
        with look(grown_log(folder, size)) as seen, TemporaryDirectory() as name:
            total = seen.newest.size
            _follow(Path(name), seen.reading, "opaque", total)
            _find(Path(name), seen.reading, total)
    print("records of about 500 bytes with three digests, out of memory")
    with TemporaryDirectory() as name:
        _follow(Path(name), _Records(), "record", RECORDS)
    print("one digest in every entry")
    with TemporaryDirectory() as name:
        _follow(Path(name), _Same(), "opaque", POISONED)
        lookup = Lookup(Path(name), GENESIS)
        start = sha256(b"the same").digest()[:16]
        assert lookup.find("digest", start) == list(range(100))
        _time("the first hundred", lambda _: lookup.find("digest", start), range(500))
    print(f"  memory: {peak_mb()}")


def _follow(folder: Path, reading: Entries, kind: str, size: int) -> None:
    follower = Follower(folder, reading, kind, GENESIS)
    steps: list[float] = []
    while True:
        start = time.perf_counter()
        done = follower.step(size)
        steps.append(time.perf_counter() - start)
        if not done:
            break
    assert follower.covered == size
    files = [each.stat().st_size for each in folder.iterdir()]
    print(
        f"  {size:>12,} entries   {size / sum(steps):>10,.0f}/s; the longest step "
        f"{max(steps) * 1e3:,.0f} ms; {sum(files) / size:.1f} bytes an entry in "
        f"{len(files)} files"
    )


def _find(folder: Path, reading: Entries, size: int) -> None:
    start = time.perf_counter()
    lookup = Lookup(folder, GENESIS)
    assert lookup.covered == size
    print(f"    opened in {(time.perf_counter() - start) * 1e3:.1f} ms")
    random = Random(1)
    places = [random.randrange(size) for _ in range(LOOKUPS)]
    keys = {
        place: sha256(reading.entries(place, place + 1)[0]).digest()[:16]
        for place in places
    }
    for place, key in keys.items():
        assert lookup.find("digest", key) == [place]
    _time("what is there", lambda place: lookup.find("digest", keys[place]), places)
    absent = {place: sha256(b"%d" % place).digest()[:16] for place in places}
    _time("what is not", lambda place: lookup.find("digest", absent[place]), places)


def _time(name: str, find: Callable[[int], object], places: Sequence[int]) -> None:
    taken = []
    for place in places:
        start = time.perf_counter()
        find(place)
        taken.append((time.perf_counter() - start) * 1e6)
    p99 = quantiles(taken, n=100)[98]
    print(f"    {name:<24} {median(taken):7.1f} µs, p99 {p99:7.1f} µs")


class _Same:
    def entries(self, start: int, stop: int) -> list[bytes]:
        return [b"the same"] * (stop - start)


class _Records:
    """Records are made once and used again with another time: only reading counts."""

    def __init__(self) -> None:
        self._some = [self._entry(number) for number in range(1_000)]

    def entries(self, start: int, stop: int) -> list[bytes]:
        return [self._some[index % len(self._some)] for index in range(start, stop)]

    def _entry(self, number: int) -> bytes:
        digests = [
            digest_text(sha256(b"%d %d" % (number, n)).digest()) for n in range(3)
        ]
        record = {
            "id": f"01a0c54a-5ad0-7aa2-bf0c-{number:012x}",
            "kind": "model.derive",
            "inputs": [{"name": "data.bin", "digest": each} for each in digests[:2]],
            "outputs": [{"name": "weights.bin", "digest": digests[2]}],
        }
        body = encode_record(record)
        at = 1_790_000_000_000 + number
        return Entry(at=at, by="p-012345", type=MEDIA_TYPE, body=body).encode()
