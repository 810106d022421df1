"""A run is a sorted file that is whole or not there, and of this log or not used."""

from hashlib import sha256
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import WrongBytes
from ledger.index.keys import KEY_BYTES
from ledger.index.runs import ROW_BYTES, About, Rows, Run, merged, row, write_run
from tests.index.following import GENESIS
from tests.spoiling import flipped

ABOUT = About(genesis=GENESIS, start=256, stop=512, rows=40)
HEAD_BYTES = 96


def key(number: int) -> bytes:
    return b"d" + sha256(b"%d" % number).digest()[: KEY_BYTES - 1]


ROWS = sorted(row(key(index % 9), 256 + index) for index in range(40))


@pytest.fixture
def path(tmp_path):
    """A run that is as it has to be."""
    write_run(tmp_path, ABOUT, [ROWS[:17], [], ROWS[17:]])
    return tmp_path / ABOUT.name


def opened(path, genesis=GENESIS):
    run = Run.open(path, genesis)
    run.check()
    return run


# Written and read


def test_what_was_written_is_read(path):
    run = opened(path)
    assert run.about == ABOUT
    assert [run.rows[number] for number in range(len(run.rows))] == ROWS
    assert run.rows.block(3, 11) == ROWS[3:11]


def test_it_looks_as_its_description_says(path):
    data = path.read_bytes()
    assert path.name == "0000000000000100-0000000000000200.run"
    assert data[:16] == b"provlog/index/1\n"
    assert data[16:32] == GENESIS
    numbers = [int.from_bytes(data[at : at + 8], "big") for at in range(32, 64, 8)]
    assert numbers == [256, 512, 40, 0]
    assert data[64:96] == sha256(data[:64] + data[96:]).digest()
    assert data[96:] == b"".join(ROWS)
    assert len(ROWS[0]) == ROW_BYTES


def test_nobody_else_may_read_it(path):
    assert path.stat().st_mode & 0o777 == 0o600


def test_each_key_is_found_at_all_its_indexes(path):
    run = opened(path)
    for number in range(9):
        indexes = [256 + index for index in range(40) if index % 9 == number]
        assert run.find(key(number), start=0, most=99) == indexes
        assert run.find(key(number), start=indexes[1], most=2) == indexes[1:3]
    assert run.find(key(9), start=0, most=99) == []


def test_the_last_index_that_there_can_be_is_found(tmp_path):
    last = (1 << 56) - 1
    about = About(genesis=GENESIS, start=0, stop=last + 1, rows=1)
    write_run(tmp_path, about, [[row(key(1), last)]])
    run = opened(tmp_path / about.name)
    assert run.find(key(1), start=last, most=1) == [last]


def test_a_run_without_rows_finds_nothing(tmp_path):
    about = About(genesis=GENESIS, start=0, stop=256, rows=0, skipped=256)
    write_run(tmp_path, about, [])
    run = opened(tmp_path / about.name)
    assert run.about.skipped == 256
    assert run.find(key(1), start=0, most=1) == []


def test_one_that_was_deleted_is_read_for_as_long_as_it_is_open(path):
    run = opened(path)
    path.unlink()
    run.check()
    assert run.rows.block(0, 40) == ROWS


def test_one_that_could_not_be_written_has_no_name(tmp_path):
    def blocks():
        yield ROWS[:17]
        raise OSError(28, "no room")

    with pytest.raises(OSError, match="no room"):
        write_run(tmp_path, ABOUT, blocks())
    assert [each.name for each in tmp_path.iterdir()] == [".new"]
    write_run(tmp_path, ABOUT, [ROWS])
    assert [each.name for each in tmp_path.iterdir()] == [ABOUT.name]


# Spoiled


def test_every_bit_that_changes_is_noticed(path):
    true = path.read_bytes()
    for bit in range(0, 8 * len(true), 5):
        path.unlink()
        path.write_bytes(flipped(true, bit))
        with pytest.raises(WrongBytes, match=path.name):
            opened(path)


def test_a_bit_in_what_the_head_says_of_the_rows_is_noticed_without_reading_them(path):
    true = path.read_bytes()
    for bit in range(8 * (len(true) - 56), 8 * len(true)):
        path.unlink()
        path.write_bytes(flipped(true, bit))
        with pytest.raises(WrongBytes):
            Run.open(path, GENESIS)


def test_a_file_of_another_length_is_not_opened(path):
    true = path.read_bytes()
    lengths = {0, 1, 95, 96, 97, 96 + ROW_BYTES, len(true) - ROW_BYTES, len(true) - 1}
    for data in [*(true[:length] for length in lengths), true + b"\0", true + true]:
        path.unlink()
        path.write_bytes(data)
        with pytest.raises(WrongBytes, match="bytes"):
            Run.open(path, GENESIS)


def test_another_logs_is_not_opened(path):
    with pytest.raises(WrongBytes, match="another log"):
        Run.open(path, bytes(16))


def test_one_under_another_name_is_not_opened(path):
    moved = path.rename(path.with_name("0000000000000000-0000000000000100.run"))
    with pytest.raises(WrongBytes, match="another name"):
        Run.open(moved, GENESIS)


def test_one_of_no_entries_is_not_opened(tmp_path):
    about = About(genesis=GENESIS, start=256, stop=256, rows=0)
    write_run(tmp_path, about, [])
    with pytest.raises(WrongBytes):
        Run.open(tmp_path / about.name, GENESIS)


# Merged


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 999)), max_size=40),
        max_size=16,
    ),
    st.integers(1, 7),
)
def test_merged_rows_are_all_rows_in_order(parts, block):
    runs = [
        sorted(row(key(name), index * 16 + number) for name, index in set(part))
        for number, part in enumerate(parts)
    ]
    got = list(merged([Rows(b"".join(rows)) for rows in runs], block=block))
    assert list(chain(*got)) == sorted(chain(*runs))
    assert all(0 < len(rows) <= block * len(runs) for rows in got)
