"""A log that does not answer is left alone for longer each time, and told of once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.mirror.folder import Mirror
from ledger.mirror.following import Mirrored, follow, pause_s
from tests import foreign
from verifier import Checkpoint, Report
from verifier.errors import GrowthError, Unavailable
from verifier.monitor import Forked
from verifier.tile import WIDTH, Tile

DONE = Mirrored(
    before=0,
    checkpoint=Checkpoint(origin="log.example", size=0, root=bytes(32)),
    report=Report(),
)
OUTAGE = Unavailable("no answer")


def followed(*looks: Mirrored | Exception) -> tuple[list[float], list[object]]:
    """How long was waited after each of `looks`, and what was told."""
    coming: Iterator[Mirrored | Exception] = iter(looks)
    pauses: list[float] = []
    told: list[object] = []

    def look() -> Mirrored:
        found = next(coming)
        if isinstance(found, Exception):
            raise found
        return found

    def wait(pause: float) -> bool:
        pauses.append(pause)
        return len(pauses) == len(looks)

    follow(look, every_s=10, wait=wait, tell=told.append)
    return pauses, told


def test_the_pause_doubles_with_each_failure_and_is_over_with_the_first_answer():
    pauses, _ = followed(DONE, OUTAGE, OUTAGE, OUTAGE, DONE, OUTAGE)
    assert pauses == [10, 20, 40, 80, 10, 20]


def test_no_pause_is_longer_than_ten_minutes_unless_it_is_wanted():
    assert pause_s(10, 1_000_000) == 600
    assert pause_s(3_600, 0) == pause_s(3_600, 5) == 3_600


def test_an_outage_is_told_once_and_so_is_what_comes_after_it():
    smaller = GrowthError("a smaller tree")
    _, told = followed(OUTAGE, OUTAGE, smaller, smaller, DONE, OUTAGE)
    assert told == [OUTAGE, smaller, DONE, OUTAGE]


@pytest.mark.parametrize("error", [OSError("disk"), KeyError("a fault of ours")])
def test_what_waiting_does_not_mend_ends_it(error):
    with pytest.raises(type(error)):
        followed(DONE, error)


def test_a_fork_ends_it():
    with pytest.raises(Forked):
        followed(DONE, Forked(None, "two histories"))


def test_tiles_lie_where_tessera_puts_them(tmp_path: Path):
    vectors = foreign.folder("tessera") / "layout_paths.json"
    listed = json.loads(vectors.read_text())["tile_paths"]
    mirror = Mirror(tmp_path)
    for each in listed:
        tile = Tile(each["level"], each["index"], each["partial"] or WIDTH)
        mirror.write(tile, each["path"].encode())
        assert (tmp_path / each["path"]).read_bytes() == each["path"].encode()
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) == len({each["path"] for each in listed}) > 3
