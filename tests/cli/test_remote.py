"""A log behind an address is read as a folder is, and believed no more than that."""

import json
from hashlib import sha256

import pytest

from cli.answers import ASKED
from tests.capture.live import serving, token_of, with_witness
from tests.cli.operating import done, provlog, record_text, shell
from tests.loopback import Server, answer, folder, raw, running
from tests.recordlog import wrapped
from tests.testlog import TestLog, policy_text
from verifier.entry import MAX_AT, PREFIX, Entry
from verifier.record import MEDIA_TYPE, encode_record, parse_record_json

SETTINGS = "publish_interval_ms = 50"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A service of a record log, with three entries besides its own."""
    with serving(
        tmp_path_factory.mktemp("served"), workers=1, kind="record", settings=SETTINGS
    ) as service:
        for number in (1, 2, 3):
            digest = f"sha256:{number:064x}"
            body = record_text(number, inputs=[{"digest": digest}])
            service.submit(body, Content_Type="application/json")
        size = b"\n5\n"
        service.until(lambda: size in service.get("/checkpoint").body)
        yield service


@pytest.fixture
def policy(served, monkeypatch):
    path = served.live.folder / "policy.txt"
    monkeypatch.setenv("PROVLOG_POLICY", str(path))
    return path


@pytest.fixture
def server():
    with running(Server()) as started:
        yield started


READING = {
    "list": ["list", "LOG"],
    "list_json": ["list", "LOG", "--start", "2", "--stop", "4", "--json"],
    "consistency": ["prove", "LOG", "--from", "3"],
    "earlier": ["prove", "LOG", "--from", "2", "--to", "4", "--json"],
}


@pytest.mark.parametrize("name", READING)
def test_what_is_read_is_what_the_folder_has(served, policy, name):
    said = {
        done(*(where if each == "LOG" else each for each in READING[name]))
        for where in (served.url, f"{served.url}/", served.live.folder)
    }
    assert len(said) == 1


def test_the_address_may_stand_in_the_environment(served, policy, monkeypatch):
    monkeypatch.setenv("PROVLOG_URL", served.url)
    assert done("list", "--last", 1) == done("list", served.url, "--last", 1)
    assert done("prove", "2").startswith("c2sp.org/tlog-proof@v1\nindex 2\n")
    # A folder that is named goes before it.
    assert "\nlog.example/live\n" in "\n" + done("checkpoint", served.live.folder)


def test_a_bundle_of_a_service_is_one_for_the_auditor(served, policy, tmp_path):
    for index in range(5):
        out = tmp_path / f"{index}.bundle"
        done("get", served.url, index, "--out", out)
        assert "inclusion   holds" in done("verify", "--policy", policy, out)


def test_a_receipt_can_be_had_for_a_checkpoint_that_was_published(served, policy):
    size = json.loads(done("prove", served.url, 2, "--json"))["size"]
    assert size == 5
    first = json.loads(done("prove", served.live.folder, 1, 2, "--json"))
    again = json.loads(done("prove", served.url, 1, 2, "--json"))
    assert again == first
    assert first["size"] == 2
    assert provlog("prove", served.url, 4, 4).exit_code == 1


def test_what_is_published_soon_can_be_waited_for(served, policy):
    body = record_text(1000 + len(done("list", served.url).splitlines()))
    index = served.submit(body, Content_Type="application/json").json["index"]
    done("get", served.url, index, "--within", 20)


def test_a_witness_who_never_comes_is_named(served, tmp_path):
    (tmp_path / "policy").write_bytes(with_witness(served))
    words = ["get", served.url, 1, "--policy", tmp_path / "policy"]
    given = provlog(*words, "--witnessed", "--within", 0.2, "--json")
    assert given.exit_code == 1
    assert "has not cosigned; missing: w1" in given.stderr
    document = json.loads(given.stdout)
    assert (document["witnessed"], document["missing"]) == (False, ["w1"])
    assert "bundle" not in document
    assert "not witnessed" in provlog(*words).stderr
    assert provlog("checkpoint", *words[1:2], *words[3:]).exit_code == 1
    for reading in (["list"], ["prove", 1], ["prove", "--from", 1]):
        given = provlog(reading[0], served.url, *reading[1:], *words[3:])
        assert given.exit_code == 0
        assert "not witnessed: " in given.stderr


def test_only_witnesses_can_be_waited_for(served, policy):
    given = provlog("get", served.url, 1, "--witnessed")
    assert given.exit_code == 2
    assert "--witnessed needs a policy that asks witnesses" in given.stderr
    found = json.loads(done("get", served.url, 1, "--json"))
    assert (found["witnessed"], found["missing"]) == (False, [])


# Looking up


def test_a_file_is_found_by_its_digest_alone(served, policy, tmp_path):
    (tmp_path / "file").write_bytes(
        record_text(2, inputs=[{"digest": f"sha256:{2:064x}"}])
    )
    for log in (served.url, served.live.folder):
        assert done("check", log, tmp_path / "file") == "entry 3  it is the file\n"


def test_what_is_not_found_is_the_logs_own_word(served, policy, tmp_path):
    (tmp_path / "file").write_bytes(b"nobody has this")
    given = provlog("check", served.url, tmp_path / "file")
    assert (given.exit_code, given.stdout) == (1, "")
    assert "entries, by the log's own word: sha256:" in given.stderr


def test_the_file_comes_first_however_many_others_name_it(tmp_path):
    content = b"the weights of a model"
    line = b"sha256:%b\n" % sha256(content).hexdigest().encode()
    with serving(tmp_path, workers=0, settings=SETTINGS) as service:
        kind = {"Content_Type": "application/x-ndjson", "Accept": "text/plain"}
        service.post("/v1/records:batch", line * 300 + content, **kind)
        service.until(lambda: b"\n301\n" in service.get("/checkpoint").body)
        (tmp_path / "file").write_bytes(content)
        policy = ("--policy", service.live.folder / "policy.txt")
        for log in (service.url, service.live.folder):
            given = provlog("check", log, tmp_path / "file", *policy)
            lines = given.stdout.splitlines()
            assert lines[0] == "entry 300  it is the file"
            assert lines[1] == "entry 0  it is the file's digest"
            assert len(lines) == 301
            assert "may be more" not in given.stderr


# Tokens


def test_who_may_not_read_is_told_to_get_a_token(tmp_path, monkeypatch):
    settings = f'{SETTINGS}\nreads = "token"'
    with serving(tmp_path, workers=0, settings=settings) as service:
        token = token_of(service)
        service.submit(b"content", Authorization=f"Bearer {token}")
        options = ("--policy", service.live.folder / "policy.txt")
        given = provlog("get", service.url, 0, *options)
        assert given.exit_code == 2
        assert "hint: it asks for a token; --token-file" in given.stderr
        monkeypatch.setenv("PROVLOG_TOKEN", "provlog_of-another-log")
        given = provlog("get", service.url, 0, *options)
        assert given.exit_code == 1
        assert "ask who runs the log for a token" in given.stderr
        assert "hint: the token that was given is no good here" in given.stderr
        monkeypatch.setenv("PROVLOG_TOKEN", token)
        (tmp_path / "file").write_bytes(b"content")
        for words in (
            ["get", service.url, 0, "--within", 20],
            ["list", service.url],
            ["check", service.url, tmp_path / "file"],
            ["prove", service.url, 0],
            ["checkpoint", service.url],
        ):
            assert token not in done(*words, *options)


def test_an_auditor_of_a_log_that_is_not_public_needs_a_token(tmp_path, monkeypatch):
    settings = f'{SETTINGS}\nreads = "token"'
    with serving(tmp_path, workers=0, settings=settings) as service:
        token = token_of(service, "audit")
        options = ("--policy", service.live.folder / "policy.txt")
        watch = (
            "monitor",
            "--once",
            *options,
            "--state",
            tmp_path / "state",
            service.url,
        )
        for words in (("audit", *options, service.url), watch):
            given = provlog(*words)
            assert given.exit_code == 2
            assert "answered 401; " in given.stderr
            assert "give --token-file FILE, or set PROVLOG_TOKEN" in given.stderr
            (tmp_path / "token").write_text(f"{token}\n")
            said = done(*words, "--token-file", tmp_path / "token")
            monkeypatch.setenv("PROVLOG_TOKEN", token)
            assert token not in said + done(*words)
            monkeypatch.setenv("PROVLOG_TOKEN", "two words")
            assert "PROVLOG_TOKEN has no token" in provlog(*words).stderr
            monkeypatch.delenv("PROVLOG_TOKEN")


# Servers that are none of ours


@pytest.fixture
def mirror(server, tmp_path):
    """A folder with a log, and the address at which it is served as files."""
    log = TestLog(tmp_path / "mirror")
    log.append(*(b"%d" % number for number in range(600)))
    server.behaviours = [folder(log.folder)]
    (tmp_path / "policy").write_bytes(policy_text())
    return log, server, ["--policy", tmp_path / "policy"]


def test_a_mirror_of_files_is_read_as_well(mirror, tmp_path):
    _, server, options = mirror
    (tmp_path / "file").write_bytes(b"512")
    done("get", server.prefix, 599, *options, "--witnessed", "--out", tmp_path / "b")
    done("prove", server.prefix, "--from", 300, *options)
    assert done("check", server.prefix, tmp_path / "file", *options) == (
        "entry 512  it is the file\n"
    )
    assert len(done("list", server.prefix, *options).splitlines()) == 600


def test_an_entry_that_the_checkpoint_does_not_vouch_for_is_not_said(mirror):
    log, server, options = mirror
    path = log.folder / "tile/entries/001"
    path.write_bytes(path.read_bytes().replace(b"300", b"301"))
    assert done("list", server.prefix, "--stop", 256, *options)
    for words in (
        ["list", server.prefix, "--start", 290, "--stop", 310],
        ["get", server.prefix, 300],
        ["prove", server.prefix, 300],
    ):
        given = provlog(*words, *options)
        assert (given.exit_code, given.stdout) == (1, "")
        assert "entry 300 of 600: the proof leads to root" in given.stderr


def test_what_looks_like_another_kind_of_entry_can_be_had_all_the_same(mirror):
    log, server, options = mirror
    log.append(PREFIX + b"and nothing of a record log", wrapped(b"\xa0"))
    for index in (600, 601):
        done("get", server.prefix, index, *options)
    listed = done("list", server.prefix, "--last", 2, *options).splitlines()
    assert listed[0].startswith(f"600  {len(PREFIX) + 27} bytes  sha256:")


def test_tiles_that_lead_nowhere_prove_nothing(mirror):
    log, server, options = mirror
    path = log.folder / "tile/0/000"
    path.write_bytes(path.read_bytes()[32:] + bytes(32))
    for words in (["prove", server.prefix, 1], ["prove", server.prefix, "--from", 7]):
        given = provlog(*words, *options)
        assert (given.exit_code, given.stdout) == (1, "")


def test_what_is_missing_is_no_empty_log(mirror):
    log, server, options = mirror
    (log.folder / "tile/entries/001").unlink()
    given = provlog("list", server.prefix, "--start", 256, *options)
    assert given.exit_code == 1
    assert "has no tile/entries/001" in given.stderr


def test_who_stops_reading_has_no_more_read_for_him(mirror):
    log, server, options = mirror
    log.append(*(b"%d" % number for number in range(600, 256 * 20)))
    line = f"PROVLOG list {server.prefix} --policy {options[1]} | head -1"
    ended = shell(line, log.folder)
    assert ended.returncode == 0
    assert ended.stdout.startswith("0  1 bytes  sha256:")
    tiles = [path for path, _ in server.requests if "entries" in path]
    assert 0 < len(tiles) < 15


def test_who_listens_to_nothing_has_all_of_it_verified(mirror):
    log, server, options = mirror
    path = log.folder / "tile/entries/001"
    path.write_bytes(path.read_bytes().replace(b"300", b"301"))
    line = f"PROVLOG list {server.prefix} --policy {options[1]} >> /dev/null"
    assert shell(line, log.folder).returncode == 1


LOOKUPS = {
    "no_list": b'{"indexes": 1, "covered": 600}',
    "texts": b'{"indexes": ["1"], "covered": 600}',
    "covered": b'{"indexes": [], "covered": "all"}',
    "garbage": b"<html>",
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_a_lookup_that_answers_nonsense_finds_nothing(mirror, tmp_path, name):
    log, server, options = mirror
    files = folder(log.folder)
    server.behaviours = [
        lambda handler: (
            answer(200, LOOKUPS[name])(handler)
            if "lookup" in handler.path
            else files(handler)
        )
    ]
    (tmp_path / "file").write_bytes(b"512")
    given = provlog("check", server.prefix, tmp_path / "file", *options)
    assert (given.exit_code, given.stdout) == (1, "")


def test_a_log_that_would_go_on_without_end_is_not_asked_without_end(mirror, tmp_path):
    log, server, options = mirror
    files = folder(log.folder)

    def endless(handler):
        if "lookup" not in handler.path:
            return files(handler)
        first = handler.path.partition("/v1/lookup/digest/")[2][65:] or "0"
        said = {"indexes": [int(first)], "covered": int(first) + 1, "more": True}
        return answer(200, json.dumps(said).encode())(handler)

    server.behaviours = [endless]
    (tmp_path / "file").write_bytes(b"7")
    given = provlog("check", server.prefix, tmp_path / "file", *options)
    assert (given.exit_code, given.stdout) == (0, "entry 7  it is the file\n")
    assert "there may be more: the log was asked 100 times at most" in given.stderr
    asked = [path for path, _ in server.requests if "lookup" in path]
    assert len(asked) == ASKED
    tiles = [path for path, _ in server.requests if "tile/entries" in path]
    assert len(tiles) == 1, "what is in one tile is fetched once"


def test_a_lookup_that_lies_finds_nothing(mirror, tmp_path):
    log, server, options = mirror
    files, lie = folder(log.folder), b'{"indexes": [3, 5, 599, 600, -1], "covered": 9}'
    server.behaviours = [
        lambda handler: (
            answer(200, lie)(handler) if "lookup" in handler.path else files(handler)
        )
    ]
    (tmp_path / "file").write_bytes(b"512")
    given = provlog("check", server.prefix, tmp_path / "file", *options)
    assert (given.exit_code, given.stdout) == (1, "")
    assert "entry 600 may have it: no published checkpoint has that" in given.stderr
    assert "not found in the first 9 of 600 entries" in given.stderr


ANSWERS = {
    "elsewhere": answer(302, Location="http://elsewhere.example/"),
    "absent": answer(404),
    "forbidden": answer(403),
    "garbage": raw(b"\0\1\2"),
    "nothing": raw(b""),
    "cut": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"),
    "long": answer(200, b"x" * (1 << 21)),
    "no_note": answer(200, b"hello\n"),
}


@pytest.mark.parametrize("token", ["", "a-token"], ids=["anybody", "token"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none_is_no_log(server, tmp_path, monkeypatch, name, token):
    server.behaviours = [ANSWERS[name]]
    monkeypatch.setenv("PROVLOG_TOKEN", token)
    (tmp_path / "policy").write_bytes(policy_text())
    given = provlog("list", server.prefix, "--policy", tmp_path / "policy")
    assert given.exit_code in (1, 2)
    assert given.stdout == ""
    assert given.stderr
    assert len(server.requests) <= 3
    sent = {headers.get("Authorization", "") for _, headers in server.requests}
    assert sent <= {f"Bearer {token}" if token else ""}


# What comes from strangers


def test_no_control_character_of_an_entry_reaches_the_terminal(tmp_path):
    bodies = [b'{"id":"x\x1b[2J"}', record_text(1, kind="\x9b2J\u202e")]
    log = TestLog(tmp_path / "log")
    entry = {"by": "s-1", "type": "text/x", "at": 1 << 40}
    log.append(
        Entry(body=bodies[0], **entry).encode(),
        Entry(
            **entry | {"type": MEDIA_TYPE},
            body=encode_record(parse_record_json(bodies[1])),
        ).encode(),
        Entry(body=b"", **entry | {"at": MAX_AT}).encode(),
    )
    shown = done("list", log.folder)
    assert shown.count("\n") == 3
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)
    assert r"\x9b2J\u202e" in shown
    assert f"{MAX_AT // 1000} s after 1970" in shown.splitlines()[2].replace(
        r"\x20", ""
    )
