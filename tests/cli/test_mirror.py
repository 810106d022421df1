"""provlog mirror keeps a log, serves it, ends well, and mends the log it is of."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ledger.store import layout
from tests.cli.operating import ENVIRONMENT, PROVLOG, done, provlog, said
from tests.livelog import FIRST
from tests.liveservice import Response
from tests.mirror.mirroring import audited, entries, log_of, tiles
from tests.testlog import TestLog
from tests.upkeep.spoil import flip, is_sound, rows

SIZE = 300


@pytest.fixture
def theirs(tmp_path):
    log = log_of(tmp_path / "theirs", SIZE)
    (tmp_path / "policy.txt").write_bytes(log.policy_text)
    return log


def words(log: TestLog, *more: object) -> list[object]:
    """What to say to mirror `log`."""
    beside = log.folder.parent
    policy = beside / "policy.txt"
    return ["mirror", log.folder, beside / "M", "--policy", policy, *more]


@contextmanager
def running(log: TestLog, *more: object):
    """A mirror that follows, and is ended, whatever happens."""
    given = [str(each) for each in words(log, *more, "--json")]
    process = subprocess.Popen(
        [*PROVLOG, *given],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream
            stream.close()


def asked(url: str, path: str, **headers: str) -> Response:
    """What is answered to one question."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    shown = Response(answer.status, answer.headers, answer.read())
    connection.close()
    return shown


def test_once_says_what_the_mirror_has(theirs):
    found = said(*words(theirs, "--once"))
    assert (found["before"], found["size"]) == (0, SIZE)
    assert found["root"] == theirs.check().root.hex()
    assert "300 before" in done(*words(theirs, "--once"))


def test_it_follows_serves_and_ends(theirs):
    with running(theirs, "--listen", "127.0.0.1:0", "--every", "0.1") as process:
        url = json.loads(process.stdout.readline())["url"]
        assert json.loads(process.stdout.readline())["size"] == SIZE
        theirs.append(*entries(SIZE, SIZE + 1))
        assert json.loads(process.stdout.readline())["size"] == SIZE + 1
        # Tiles that are being fetched, or that somebody has laid there.
        for path in ("tile/entries/001", "tile/0/001", "tile/entries/001.p/46"):
            (theirs.folder.parent / "M" / path).write_bytes(b"early")
        _check_answers(url, theirs)
        second = provlog(*words(theirs, "--once"))
        assert second.exit_code == 1
        assert "another mirror" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def _check_answers(url: str, log: TestLog) -> None:
    shown = asked(url, "/checkpoint")
    assert shown.body == log.checkpoint()
    assert shown.headers["Cache-Control"] == "public, no-cache"
    assert shown.headers["Content-Type"] == "text/plain; charset=utf-8"
    for path in ("tile/entries/000", "tile/entries/001.p/45", "tile/0/001.p/44"):
        shown = asked(url, f"/{path}")
        assert shown.body == (log.folder / path).read_bytes()
        assert shown.headers["Cache-Control"].endswith("immutable")
        assert shown.headers["Content-Type"] == "application/octet-stream"
        assert shown.headers["Access-Control-Allow-Origin"] == "*"
        again = asked(url, f"/{path}", **{"If-None-Match": shown.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
    for path in (
        *("/", "/.mirror", "/tile/entries", "/tile/entries/001", "/tile/0/001"),
        *("/tile/0/../../checkpoint", "/tile/0/%30%30%30", "//checkpoint"),
        *("/checkpoint?", "/tile/0/x000/001", "/tile/entries/.000.new"),
        *("/tile/entries/001.p/46", "/tile/2/000", "/tile/entries/001.p/44?a"),
    ):
        assert asked(url, path).status == 404, path


def test_beyond_the_last_tree_nothing_is_fetched(theirs):
    final = ("--once", "--final", f"{SIZE}:{theirs.check().root.hex()}")
    assert said(*words(theirs, *final))["size"] == SIZE
    theirs.append(*entries(SIZE, SIZE + 1))
    given = provlog(*words(theirs, *final))
    assert given.exit_code == 1
    assert f"the log ended at size {SIZE}" in given.stderr
    assert audited(theirs.folder.with_name("M"), theirs) == SIZE
    assert provlog(*words(theirs, "--once", "--final", "x:y")).exit_code == 2


def test_an_outage_is_told_when_it_begins_and_when_it_ends(theirs):
    hidden = theirs.folder.with_name("hidden")
    with running(theirs, "--every", "0.1") as process:
        assert json.loads(process.stdout.readline())["size"] == SIZE
        os.rename(theirs.folder, hidden)
        assert "has no checkpoint" in process.stderr.readline()
        os.rename(hidden, theirs.folder)
        assert "followed again" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("more", [(), ("--listen", "127.0.0.1:0")], ids=["", "serves"])
def test_a_fork_ends_the_following_and_leaves_the_proof(theirs, more):
    done(*words(theirs, "--once"))
    other = TestLog(theirs.folder)
    other.append(b"never happened", *entries(1, SIZE + 1))
    with running(theirs, "--every", "0.1", *more) as process:
        assert "misbehaviour proves it" in process.stderr.readline()
        if more:
            url = json.loads(process.stdout.readline())["url"]
            assert "still served" in process.stderr.readline()
            assert asked(url, "/checkpoint").body == theirs.checkpoint()
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 1
    proof = theirs.folder.with_name("M.misbehaviour")
    policy = theirs.folder.with_name("policy.txt")
    done("verify", "--misbehaviour", "--policy", policy, proof)
    assert provlog(*words(theirs, "--once")).exit_code == 1


def test_it_goes_on_after_kill_9(theirs):
    with running(theirs, "--every", "0.1") as process:
        assert process.stdout.readline()
        process.kill()
        process.wait()
    theirs.append(*entries(SIZE, SIZE + 300))
    assert said(*words(theirs, "--once"))["before"] == SIZE
    assert audited(theirs.folder.with_name("M"), theirs) == SIZE + 300


@pytest.mark.parametrize("more", [["--once", "--listen", "127.0.0.1:0"], ["--every=0"]])
def test_what_excludes_each_other_is_a_wrong_use(theirs, more):
    assert provlog(*words(theirs, *more)).exit_code == 2
    assert not theirs.folder.with_name("M").exists()


@pytest.mark.parametrize("kind", ["record", "opaque"])
def test_a_mirror_repairs_and_restores_the_log_that_it_is_of(kind, tmp_path):
    folder, kept = _log_and_mirror(kind, tmp_path)
    database = layout.ENTRIES if kind == "opaque" else layout.TAIL
    key, _ = next(iter(rows(folder, database)))
    flip(folder, database, key, 20)
    assert not is_sound(folder)
    done("fsck", folder, "--repair", "--from", kept)
    assert is_sound(folder)
    flip(folder, database, key, 20)
    (tmp_path / "policy.txt").write_bytes((folder / "policy.txt").read_bytes())
    # The words are those for the export, which is mirrored to the same folder.
    with running(TestLog(tmp_path / "public"), "--listen", "127.0.0.1:0") as process:
        url = json.loads(process.stdout.readline())["url"]
        done("fsck", folder, "--repair", "--from", url)
    assert is_sound(folder)
    shutil.rmtree(folder / "store")
    more = ["--no-dedupe"] if kind == "opaque" else []
    done("restore", folder, "--from", kept, "--entries", kind, *more)
    assert is_sound(folder)
    assert audited_by_export(folder, tmp_path / "again") == tiles(kept)


def audited_by_export(folder: Path, dest: Path) -> dict[str, bytes]:
    """The tiles that a log shows, which an auditor has looked at."""
    done("export", folder, dest)
    done("audit", "--policy", folder / "policy.txt", dest)
    return tiles(dest)


def _log_and_mirror(kind: str, tmp_path: Path) -> tuple[Path, Path]:
    folder, public, kept = tmp_path / "L", tmp_path / "public", tmp_path / "M"
    done("init", folder, "--origin", "log.example/m", "--entries", kind)
    if kind == "opaque":
        lines = tmp_path / "lines"
        lines.write_text("".join(f"line {number}\n" for number in range(SIZE)))
        done("append", folder, "--lines", lines)
    done("export", folder, public)
    policy = folder / "policy.txt"
    size = said("mirror", public, kept, "--policy", policy, "--once")["size"]
    assert size == (SIZE if kind == "opaque" else FIRST)
    return folder, kept
