"""A log's own folder is read while it is written to, and what is said of it is so."""

import json
import sys
from contextlib import contextmanager
from hashlib import sha256
from io import StringIO

import pytest

from cli.described import described, line
from cli.finding import Search, hit_of
from cli.places import Own, opened
from ledger.index.follower import Follower
from ledger.keys.keyfile import read_key_file
from tests.cli.operating import done, provlog, record_text, shell, writing
from tests.recordlog import record_id, wrapped
from tests.records import SMALLEST
from tests.testlog import WITNESSES
from verifier.keys import KeyType
from verifier.meter import Meter
from verifier.policy import Policy
from verifier.record import encode_record
from verifier.spelling import digest_text

CONTENT = b"the weights of a model"
DIGEST = sha256(CONTENT).digest()


# Which entry has a file


def mentioning(**members):
    return encode_record({**SMALLEST, "id": record_id(1), **members})


FORMS = {
    "itself": (CONTENT, "opaque", "file"),
    "digest": (DIGEST, "opaque", "digest"),
    "hex": (DIGEST.hex().encode(), "opaque", "digest"),
    "text": (digest_text(DIGEST).encode(), "opaque", "digest"),
    "guessed": (CONTENT, "auto", "file"),
    "statement": (CONTENT, "statement", "file"),
    "body": (wrapped(CONTENT, type="text/plain"), "record", "file"),
    "body_digest": (wrapped(DIGEST, type="text/plain"), "record", "digest"),
    "member": (
        wrapped(mentioning(inputs=[{"digest": digest_text(DIGEST)}])),
        "auto",
        "record",
    ),
}
OTHERS = {
    "other": (b"other", "opaque"),
    "statement": (DIGEST, "statement"),
    "sealed": (
        wrapped(
            mentioning(commitments=[{"path": ["a"], "digest": digest_text(DIGEST)}])
        ),
        "record",
    ),
    "inside_a_text": (wrapped(mentioning(note=f"see {digest_text(DIGEST)}")), "record"),
    "broken": (wrapped(DIGEST)[:-1], "record"),
}


@pytest.mark.parametrize("name", FORMS)
def test_it_is_said_what_an_entry_has_of_a_file(name):
    data, kind, what = FORMS[name]
    assert hit_of(7, data, kind, DIGEST).what == what


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_something_else_is_not_said(name):
    data, kind = OTHERS[name]
    assert hit_of(7, data, kind, DIGEST) is None


def test_an_entry_of_a_record_log_can_be_the_file_as_a_whole():
    entry = wrapped(CONTENT, type="text/plain")
    assert hit_of(7, entry, "record", sha256(entry).digest()).what == "file"


def test_it_is_said_where_in_a_record_it_stands():
    text = digest_text(DIGEST)
    body = mentioning(inputs=[{"digest": "sha256:"}, {"digest": text}], about=text)
    says = hit_of(7, wrapped(body), "record", DIGEST).says
    assert says.startswith("a record (capture.heartbeat) whose input it is, at ")
    assert says.partition(" at ")[2] == "about, inputs/1/digest"


@pytest.mark.parametrize("at", [0, 150, 299])
def test_it_is_found_wherever_in_a_long_record_it_stands(at):
    inputs = [digest_text(sha256(b"%d" % number).digest()) for number in range(300)]
    inputs[at] = digest_text(DIGEST)
    says = hit_of(7, wrapped(mentioning(inputs=inputs)), "record", DIGEST).says
    assert says == f"a record (capture.heartbeat) that has its digest at inputs/{at}"


# With an index, and without


@contextmanager
def searching(folder):
    """A search for CONTENT, and the entries that it reads."""
    read = []
    with opened(str(folder), None, None) as place:
        assert isinstance(place, Own)
        entries = place.entries
        place.entries = lambda start, stop: (
            read.extend(range(start, stop)) or entries(start, stop)
        )
        yield Search(place, [DIGEST], Meter(StringIO(), lambda: 0.0)), read


def index(folder):
    """Bring the index of the log in `folder` up to what it has now."""
    with opened(str(folder), None, None) as place:
        charter = place.seen.store.charter
        follower = Follower(
            folder / "index", place.seen.reading, charter.kind, charter.genesis
        )
        while follower.step(place.tree.size):
            pass


def fill(log, first, last, *at):
    log.append(*(CONTENT if n in at else b"%d" % n for n in range(first, last)))


def test_without_an_index_every_entry_is_read(new_log):
    log = new_log()
    fill(log, 0, 600, 3, 599)
    with searching(log.folder) as (search, read):
        assert search.found()
    assert [each.index for each in search.hits] == [3, 599]
    assert sorted(read) == list(range(600))


def test_with_one_only_what_it_names_and_what_it_has_not_come_to(new_log):
    log = new_log()
    fill(log, 0, 300, 3, 4)
    index(log.folder)
    fill(log, 300, 600, 310)
    with searching(log.folder) as (search, read):
        assert search.found()
    assert [each.index for each in search.hits] == [3, 4, 310]
    assert set(read) & set(range(256)) == {3, 4}
    assert search.looked == 600


def test_what_is_not_there_was_looked_for_in_all_of_it(new_log, files):
    log = new_log()
    fill(log, 0, 300)
    index(log.folder)
    given = provlog("check", log.folder, "one")
    assert given.exit_code == 1
    assert "not found in all 300 entries: sha256:" in given.stderr
    found = json.loads(provlog("check", log.folder, "one", "--json").stdout)
    assert (found["looked"], found["size"], found["entries"]) == (300, 300, [])


def test_a_record_is_found_by_the_json_that_it_was_handed_in_as(new_log, files):
    log = new_log(kind="record")
    done("append", log.folder, "run.json")
    for name in ("run.json", "same.json"):
        assert done("check", log.folder, name) == "entry 2  it is the file\n"
    assert provlog("check", log.folder, "run.cbor").exit_code == 1


# While it is written to, and when it cannot be signed


def test_a_log_is_read_while_another_process_writes(new_log):
    log = new_log()
    log.append(CONTENT)
    with writing(log.folder):
        assert len(done("list", log.folder).splitlines()) == 2
        assert done("get", log.folder, 1)
        assert done("prove", log.folder, "--from", 1)
        assert done("checkpoint", log.folder).split("\n")[1] == "2"


def test_what_cannot_be_signed_can_be_read(new_log, tmp_path):
    log = new_log()
    log.append(CONTENT)
    key = (log.folder / "key").read_bytes()
    (log.folder / "key").unlink()
    (tmp_path / "file").write_bytes(CONTENT)
    assert done("list", log.folder).startswith("0  22 bytes  sha256:")
    assert done("check", log.folder, tmp_path / "file").startswith("entry 0  ")
    for words in (["get", log.folder, 0], ["checkpoint", log.folder]):
        given = provlog(*words)
        assert (given.exit_code, given.stdout) == (2, "")
        assert "error: key_missing: " in given.stderr
    (log.folder / "key").write_bytes(key)
    (log.folder / "key").chmod(0o600)


def test_a_bundle_holds_for_who_believes_the_post_quantum_key_alone(new_log, tmp_path):
    log = new_log()
    log.append(CONTENT)
    keys = read_key_file(log.folder / "key").keys
    (late,) = [key for key in keys if key.type is KeyType.ML_DSA_COSIGNATURE]
    text = f"log {late.verifier_key.text()}\nquorum none\n"
    assert Policy.parse(text.encode())
    (tmp_path / "policy").write_text(text)
    done("get", log.folder, 0, "--out", tmp_path / "bundle")
    done("verify", "--policy", tmp_path / "policy", tmp_path / "bundle")


def test_a_policy_of_somebody_else_is_not_met(new_log, tmp_path):
    log, other = new_log(), new_log("other")
    log.append(CONTENT)
    policy = other.folder / "policy.txt"
    for words in (
        *(["get", log.folder, 0], ["prove", log.folder, 0]),
        *(["checkpoint", log.folder], ["check", log.folder, policy]),
        ["prove", log.folder, "--from", 1],
    ):
        given = provlog(*words, "--policy", policy)
        assert (given.exit_code, given.stdout) == (1, "")
        assert "the checkpoint is not signed by" in given.stderr


def test_the_kinds_of_entries_are_told_apart(new_log, tmp_path):
    log = new_log(kind="record")
    (tmp_path / "odd").write_bytes(record_text(1, kind="x-odd.kind"))
    (tmp_path / "plain").write_bytes(record_text(2))
    done("append", log.folder, *(tmp_path / each for each in ("odd", "plain")))
    genesis, schema, odd, plain = done("list", log.folder).splitlines()
    assert genesis.split()[2:] == ["log", "genesis"]
    assert schema.split()[2:] == ["log", "schema.publish"]
    assert odd.split()[3:] == ["x-odd.kind", record_id(1)]
    assert plain.split()[3:] == ["capture.heartbeat", record_id(2)]


@pytest.mark.parametrize(
    ("kind", "shown"), [(["no", "text"], "['no', 'text']"), (None, "-")]
)
def test_what_another_log_took_as_a_record_is_shown_as_well(kind, shown):
    record = {"id": record_id(3)} | ({} if kind is None else {"kind": kind})
    found = described(7, wrapped(encode_record(record)), "record")
    assert line(found).split("  ")[3:] == [shown, record_id(3)]


def test_only_our_own_command_line_hints_at_our_own_commands(new_log, tmp_path):
    log = new_log()
    log.append(CONTENT)
    done("get", log.folder, 0, "--out", tmp_path / "bundle")
    mine = (log.folder / "policy.txt").read_text().replace("quorum none", "quorum w1")
    witness = f"witness w1 {WITNESSES[0].vkey}\n"
    (tmp_path / "policy").write_text(witness + mine)
    words = "verify --policy policy bundle"
    ours = shell(f"PROVLOG {words}", tmp_path)
    theirs = shell(f"{sys.executable} -m verifier {words}", tmp_path)
    assert (ours.returncode, theirs.returncode) == (1, 1)
    assert "provlog get LOG INDEX --witnessed" in ours.stderr
    assert "provlog" not in theirs.stderr.replace("provlog/", "")


# What is a file is given byte by byte


@pytest.mark.parametrize("words", ["checkpoint LOG", "prove LOG 0", "get LOG 0"])
def test_a_terminal_that_cannot_show_it_changes_nothing_in_a_file(new_log, words):
    log = new_log()
    log.append(CONTENT)
    line = f"PROVLOG {words.replace('LOG', str(log.folder))}"
    ended = shell(f"PYTHONIOENCODING=ascii {line} > file", log.folder)
    assert ended.returncode == 0
    data = (log.folder / "file").read_bytes()
    assert b"\\u2014" not in data
    assert "\u2014".encode() in data or words.startswith("get")
