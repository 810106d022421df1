"""New entries that fit are told, each once, and no submitter passes for another."""

import pytest

from ledger.errors import Refused
from ledger.monitor.matching import Filter, Pattern
from tests.monitor.watching import Watching
from tests.recordlog import record, wrapped
from tests.testlog import TestLog
from verifier.entry import LOG
from verifier.own import MEDIA_TYPE, encode_own
from verifier.record import encode_record

MODEL = {"model": {"name": "gpt-7", "tries": 3, "open": False}}


def entry(**members):
    return wrapped(encode_record(record(1, **members)))


def fits(data, *patterns, texts=()):
    parsed = tuple(map(Pattern.parse, patterns))
    return Filter(patterns=parsed, texts=texts).fits(data)


@pytest.mark.parametrize(
    "pattern",
    [
        "model.name=gpt-*",
        "model.tries=3",
        "model.open=false",
        "by=s-1",
        "kind=content.*",
        "outputs.name=weights.*",
        "outputs.0.name=weights.bin",
        "type=application/*",
    ],
)
def test_a_record_fits_by_what_stands_at_the_path(pattern):
    assert fits(entry(**MODEL), pattern)


@pytest.mark.parametrize(
    "pattern",
    ["model.name=GPT-*", "model=*", "name=gpt-7", "outputs.1.name=*", "by=s-2"],
)
def test_another_one_does_not(pattern):
    assert not fits(entry(**MODEL), pattern)


def test_all_patterns_have_to_fit():
    assert fits(entry(**MODEL), "by=s-1", "model.name=gpt-7")
    assert not fits(entry(**MODEL), "by=s-2", "model.name=gpt-7")


def test_a_record_that_says_it_is_by_somebody_else_is_not():
    assert not fits(entry(by="the boss"), "by=the boss")


def test_the_logs_own_entries_have_their_kind():
    data = wrapped(
        encode_own({"kind": "freeze", "reason": "x"}), by=LOG, type=MEDIA_TYPE
    )
    assert fits(data, "kind=freeze")


def test_bytes_have_no_path_and_fit_by_text():
    assert not fits(b"some bytes", "kind=*")
    assert fits(b"some bytes", texts=(b"me by",))
    assert not fits(b"some bytes", texts=(b"me by", b"other"))


@pytest.mark.parametrize("text", ["model", "=x", "a..b=c", ""])
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(Refused, match="PATH=GLOB"):
        Pattern.parse(text)


def test_each_new_entry_that_fits_is_told_once_and_none_from_before(tmp_path):
    made = TestLog(tmp_path / "log")
    made.append(b"old yes")
    watching = Watching(made, tmp_path, filter=Filter(texts=(b"yes",)))
    watching.round()
    made.append(*(b"yes" if at % 200 == 0 else b"no" for at in range(1, 500)))
    watching.round()
    watching.round()
    watching.start()
    watching.round()
    assert [each["index"] for each in watching.said] == [200, 400]


def test_behind_a_hole_nothing_is_told_until_it_is_filled(tmp_path):
    made = TestLog(tmp_path / "log")
    made.append(b"old")
    watching = Watching(made, tmp_path, filter=Filter(texts=(b"yes",)))
    watching.round()
    made.append(*[b"yes"] + [b"no"] * 400, b"yes")
    hidden = made.folder / "tile/entries/000"
    data = hidden.read_bytes()
    hidden.unlink()
    watching.round()
    assert watching.told() == ["started missing"]
    hidden.write_bytes(data)
    watching.round()
    watching.round()
    found = [each["index"] for each in watching.said if each["event"] == "matched"]
    assert found == [1, 402]
