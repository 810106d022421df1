"""In a record log every entry says when it came in, and that never goes back.

Under --strict every entry is decoded, too; without, only its first 16 bytes are
looked at. Whatever is wrong is found with the entry's place.
"""

import functools
import uuid

import pytest

from tests.copies import AT, copy_of, outage, wrapped
from verifier import Entry, cbor
from verifier.record import MEDIA_TYPE, encode_record

SPAN = 65_536


def audited(entries, **options):
    outcome = copy_of(entries).audit(kind="record", **options)
    return [(each.check, each.path, each.indexes) for each in outcome.damage]


def times(count):
    return [AT + 10 * number for number in range(count)]


def back(index, count=600, step=15):
    """A log of `count` entries, where one came in before an earlier one."""
    changed = times(count)
    changed[index] -= step
    return wrapped(changed)


def only(index):
    return ((index, index + 1),)


# Time


def test_equal_times_are_allowed_everywhere():
    assert audited(wrapped([AT] * 600)) == []


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (1, "tile/entries/000"),
        (100, "tile/entries/000"),
        (255, "tile/entries/000"),
        (256, "tile/entries/001"),
        (512, "tile/entries/002.p/88"),
        (599, "tile/entries/002.p/88"),
    ],
)
def test_a_time_that_goes_back_is_found(index, path):
    assert audited(back(index)) == [("time", path, only(index))]


@functools.cache
def two_spans():
    return wrapped(times(SPAN + 300))


@pytest.mark.parametrize("count", [SPAN + 1, SPAN + 300])
def test_a_time_that_goes_back_between_spans_is_found(count):
    entries = [*two_spans()[:SPAN], *wrapped(AT for _ in range(1))]
    entries += two_spans()[SPAN + 1 : count]
    path = "tile/entries/256" if count > SPAN + 256 else "tile/entries/256.p/1"
    assert audited(entries) == [("time", path, only(SPAN))]


def test_every_time_before_the_latest_one_is_found_across_spans_as_within_them():
    ahead = AT + 10 * (SPAN + 2)
    entries = [*two_spans()[: SPAN - 1], *wrapped([ahead]), *two_spans()[SPAN:]]
    assert audited(entries) == [("time", "tile/entries/256", ((SPAN, SPAN + 2),))]


def test_one_time_far_ahead_is_not_a_finding_for_every_entry_after_it():
    ahead = times(600)
    ahead[5] += 1_000_000
    assert audited(wrapped(ahead)) == [
        ("time", "tile/entries/000", ((6, 256),)),
        ("time", "tile/entries/001", ((256, 512),)),
        ("time", "tile/entries/002.p/88", ((512, 600),)),
    ]


def test_a_tile_without_any_time_does_not_hide_that_time_goes_back():
    changed = wrapped(times(700))
    changed[256:512] = [b"no entry of a record log"] * 256
    changed[600] = wrapped([AT])[0]
    assert audited(changed) == [
        ("form", "tile/entries/001", ((256, 512),)),
        ("time", "tile/entries/002.p/188", only(600)),
    ]


def test_a_missing_tile_does_not_hide_that_time_goes_back():
    log = copy_of(back(600, 700, step=5_000)).drop("tile/entries/001")
    assert [(each.check, each.path) for each in log.audit().damage] == [
        ("missing", "tile/entries/001"),
        ("time", "tile/entries/002.p/188"),
    ]


def test_a_log_without_any_time_has_none():
    outcome = copy_of([b"no"] * 3).audit(kind="record")
    assert outcome.times is None
    assert [each.check for each in outcome.damage] == ["form"]


# Entries that are none


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"no entry of a record log",
        wrapped([AT])[0][:15],
        wrapped([2**32 - 1])[0],
        wrapped([2**53])[0],
    ],
    ids=["empty", "bytes", "cut in its time", "in 1970", "beyond any time"],
)
@pytest.mark.parametrize("index", [0, 100, 255])
def test_an_entry_that_does_not_begin_as_one_is_found(entry, index):
    entries = wrapped(times(256))
    entries[index] = entry
    assert audited(entries) == [("form", "tile/entries/000", only(index))]
    assert audited(entries, strict=True) == [("form", "tile/entries/000", only(index))]


def entry(**members):
    true = {"at": AT, "by": "s-1", "type": "text/plain", "body": b"hello"}
    return Entry(**true | members).encode()


TRUE = entry()
RECORD = encode_record({"id": str(uuid.UUID("01a0c54a-5ad0-7aa2-bf0c-000000000001"))})


@pytest.mark.parametrize(
    "spoilt",
    [
        TRUE + b"\x00",
        TRUE[:-1],
        TRUE.replace(b"bby", b"bbz"),
        entry(type=MEDIA_TYPE),
        entry(type=MEDIA_TYPE, body=RECORD + b"\x00"),
    ],
    ids=["longer", "cut", "another member", "no record", "more than a record"],
)
def test_strictly_every_entry_is_decoded_and_otherwise_none(spoilt):
    entries = [entry(), entry(type=MEDIA_TYPE, body=RECORD), spoilt]
    assert audited(entries) == []
    assert audited(entries, strict=True) == [("form", "tile/entries/000.p/3", only(2))]


def test_strictly_a_true_log_passes():
    assert audited([entry(), entry(type=MEDIA_TYPE, body=RECORD)], strict=True) == []


NOWHERE = f"sha256:{64 * '0'}"


@pytest.mark.parametrize(
    "commitments",
    [
        "none",
        [{"path": ["prompt"], "digest": "md5:1"}],
        [{"path": ["id"], "digest": NOWHERE}],
        [{"path": ["a"], "digest": NOWHERE}, {"path": ["a", 0], "digest": NOWHERE}],
    ],
    ids=["no list", "another digest", "said openly", "inside another"],
)
def test_strictly_commitments_have_to_be_ones_that_could_be_opened(commitments):
    record = {"id": cbor.decode(RECORD)["id"], "commitments": commitments}
    entries = [entry(), entry(type=MEDIA_TYPE, body=cbor.encode(record))]
    assert audited(entries) == []
    assert audited(entries, strict=True) == [("form", "tile/entries/000.p/2", only(1))]


# Reading several tiles at a time


def test_several_reads_at_a_time_find_what_one_after_the_other_finds():
    log = copy_of(back(300, 2_700)).drop("tile/0/003", "tile/entries/006")
    log = log.put("tile/0/009", outage("tile/0/009"))
    alone = log.audit()
    log.parallel = 8
    together = log.audit()
    assert sorted(map(repr, together.damage)) == sorted(map(repr, alone.damage))
    assert together.times == alone.times
    assert len(alone.damage) == 4
