"""A log is read from a folder, and reading ends whatever lies in that folder."""

import contextlib
import os
import random

import pytest

from verifier.errors import MalformedError, Unavailable
from verifier.source import (
    Directory,
    read_checkpoint,
    read_entries,
    read_file,
    read_hashes,
)
from verifier.tile import ENTRIES, Tile, encode_entries

HASHES = random.Random(6962).randbytes(8192)
MOST = 8192


# Folders


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "checkpoint").write_bytes(b"a note")
    assert read_checkpoint(Directory(tmp_path)) == b"a note"
    assert str(Directory(tmp_path)) == str(tmp_path)


def test_what_is_missing_is_not_there(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert Directory(tmp_path).read("tile/0/000", MOST) is None
    assert Directory(tmp_path).read("file/below", MOST) is None
    with pytest.raises(Unavailable, match="is it a log"):
        read_checkpoint(Directory(tmp_path))


def not_regular(path, kind):
    path.parent.mkdir(exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_not_a_regular_file_is_malformed_and_does_not_hang(tmp_path, kind):
    not_regular(tmp_path / "tile", kind)
    with pytest.raises(MalformedError, match="not a regular file"):
        Directory(tmp_path).read("tile", MOST)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="it counts in /proc")
@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_refused_is_closed_again(tmp_path, kind):
    not_regular(tmp_path / "tile", kind)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with contextlib.suppress(MalformedError, Unavailable):
            Directory(tmp_path).read("tile", MOST)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_is_too_large_is_not_read_at_all(tmp_path):
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 1 << 40)
    with pytest.raises(MalformedError, match="at most 8192 are read"):
        Directory(tmp_path).read("sparse", MOST)
    (tmp_path / "fits").write_bytes(HASHES)
    assert read_file(tmp_path / "fits", MOST) == HASHES


def test_what_cannot_be_opened_is_unavailable(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(Unavailable, match="loop"):
        Directory(tmp_path).read("loop", MOST)


# Tiles


def put(folder, tile, data):
    path = folder / tile.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_a_partial_tile_may_be_taken_from_the_full_one(tmp_path):
    entries = [b"%d" % number for number in range(256)]
    put(tmp_path, Tile(0, 0), HASHES)
    put(tmp_path, Tile(ENTRIES, 0), encode_entries(entries))
    log = Directory(tmp_path)
    assert read_hashes(log, Tile(0, 0, 3)) == HASHES[:96]
    assert read_entries(log, Tile(ENTRIES, 0, 3)) == entries[:3]


def test_a_partial_tile_that_is_there_is_preferred(tmp_path):
    put(tmp_path, Tile(0, 0), bytes(8192))
    put(tmp_path, Tile(0, 0, 3), HASHES[:96])
    assert read_hashes(Directory(tmp_path), Tile(0, 0, 3)) == HASHES[:96]


def test_a_full_tile_is_read_from_its_own_place_only(tmp_path):
    put(tmp_path, Tile(0, 0), HASHES)
    put(tmp_path, Tile(ENTRIES, 0, 2), encode_entries([b"one", b"two"]))
    log = Directory(tmp_path)
    assert read_hashes(log, Tile(0, 0)) == HASHES
    assert read_entries(log, Tile(ENTRIES, 0, 2)) == [b"one", b"two"]
    assert read_entries(log, Tile(ENTRIES, 0)) is None


def test_nothing_else_stands_in_for_a_tile(tmp_path):
    log = Directory(tmp_path)
    for tile in (Tile(0, 0, 3), Tile(0, 0)):
        assert read_hashes(log, tile) is None
        assert read_entries(log, Tile(ENTRIES, 0, tile.width)) is None


def test_a_full_tile_of_the_wrong_length_does_not_stand_in_either(tmp_path):
    put(tmp_path, Tile(0, 0), HASHES[:-32])
    put(tmp_path, Tile(ENTRIES, 0), encode_entries([b""] * 255))
    with pytest.raises(MalformedError, match="256 hashes"):
        read_hashes(Directory(tmp_path), Tile(0, 0, 3))
    with pytest.raises(MalformedError, match="256 entries"):
        read_entries(Directory(tmp_path), Tile(ENTRIES, 0, 3))
