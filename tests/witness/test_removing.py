"""A log that is taken out is served no more, and nothing of it is forgotten."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256

import pytest
from click.testing import CliRunner

from cli.anchor import anchor
from cli.witness import witness
from ledger.errors import Held, Refused
from ledger.witness import anchorhome, home
from ledger.witness.anchoring import Anchoring
from ledger.witness.cosigner import Cosigner
from ledger.witness.known import add_log, parse_logs, remove_log
from tests.testlog import LOG, ORIGIN, Signer, signer
from tests.witness.asked import NAME, OTHER, request

DIGEST = sha256(ORIGIN.encode()).digest()
SECOND = Signer(ORIGIN, 0x06, b"\x03" * 32)
STRANGER = signer("log.example/other")
HEAD = {"batch": 3, "size": 5, "root": "5" * 64}
BEGIN = json.dumps({"old": None, "new": HEAD}).encode()
AGAIN = json.dumps({"old": None, "new": HEAD | {"batch": 1}}).encode()


def give(group, *words):
    """What a command says to programs."""
    done = CliRunner().invoke(group, [*map(str, words), "--json"])
    assert not done.exception, done.exception
    return json.loads(done.stdout)


@pytest.fixture
def ours(tmp_path):
    ours = home.make(tmp_path / "w", NAME)
    ours.logs.write_text(f"# ours\nlog {LOG.vkey} # first\nlog {STRANGER.vkey}\n")
    return ours


@pytest.fixture
def service(tmp_path):
    service = anchorhome.make(tmp_path / "a")
    anchorhome.add_log(service, STRANGER.name)
    return service


def test_a_log_that_is_taken_out_is_unknown_from_the_next_request_on(ours):
    with ours.remembering() as memory:
        cosigner = Cosigner(ours.signing(), ours.known(), memory)
        assert cosigner.add(request(0, 5)).status == 200
        told = give(witness, "remove", ours.folder, LOG.vkey)
        assert told == {"origins": [ORIGIN], "vkey": LOG.vkey}
        assert cosigner.add(request(5, 8)).status == 404
    assert list(ours.known().all()) == [STRANGER.name]


def test_what_was_cosigned_of_it_is_still_shown_and_adding_it_is_no_way_back(ours):
    with ours.remembering() as memory:
        cosigner = Cosigner(ours.signing(), ours.known(), memory)
        assert cosigner.add(request(0, 5)).status == 200
        before = cosigner.newest(DIGEST)
        remove_log(ours.logs, LOG.vkey)
        assert cosigner.newest(DIGEST) == before
        add_log(ours.logs, LOG.vkey, own=())
        again = cosigner.add(request(0, 8, tree=OTHER))
        assert (again.status, again.body) == (409, b"5\n")
        assert cosigner.add(request(5, 8, tree=OTHER)).status == 422
        assert cosigner.add(request(5, 8)).status == 200


def test_a_log_with_a_second_key_is_known_by_that(ours):
    add_log(ours.logs, SECOND.vkey, own=())
    assert remove_log(ours.logs, LOG.vkey) == (ORIGIN,)
    assert [key.text() for key in ours.known().keys_of(ORIGIN)] == [SECOND.vkey]


def test_all_else_in_the_list_stays_as_it_was_written(ours):
    remove_log(ours.logs, LOG.vkey)
    assert ours.logs.read_text() == f"# ours\nlog {STRANGER.vkey}\n"


def test_of_a_list_of_the_network_all_that_is_said_of_the_key_goes(tmp_path):
    path = tmp_path / "logs.txt"
    head, its = "# a list\nlogs/v0\n\n", f"vkey {STRANGER.vkey}\nqpd 1\n"
    gone = f"vkey {LOG.vkey}\nqpd 86400\norigin go.sum database tree\n"
    path.write_text(f"{head}{its}\n{gone}contact a@log.example\n# end\n")
    assert remove_log(path, LOG.vkey) == ("go.sum database tree",)
    assert path.read_text() == f"{head}{its}\n# end\n"
    assert list(parse_logs(path.read_bytes())) == [STRANGER.name]


@pytest.mark.parametrize("vkey", ["", ORIGIN, SECOND.vkey, f"{LOG.vkey} # first"])
def test_what_is_no_key_of_a_log_here_changes_nothing(ours, vkey):
    before = ours.logs.read_bytes()
    with pytest.raises(Refused, match="list --json has the keys"):
        remove_log(ours.logs, vkey)
    assert ours.logs.read_bytes() == before


def test_a_list_that_cannot_be_read_is_not_made_shorter(ours):
    ours.logs.write_text(f"log {LOG.vkey}\nlogg {STRANGER.vkey}\n")
    with pytest.raises(Refused, match="line 2"):
        remove_log(ours.logs, LOG.vkey)
    assert LOG.vkey in ours.logs.read_text()


def test_the_secret_keys_are_not_needed_for_it(ours):
    ours.key.write_text("spoiled")
    give(witness, "remove", ours.folder, LOG.vkey)


def test_where_there_is_no_witness_nothing_is_taken_out(tmp_path):
    (tmp_path / "logs.txt").write_text(f"log {LOG.vkey}\n")
    done = CliRunner().invoke(witness, ["remove", str(tmp_path), LOG.vkey])
    assert isinstance(done.exception, Held)


def test_of_a_log_that_may_not_anchor_any_more_no_token_counts(service):
    tokens = [anchorhome.add_log(service, ORIGIN) for _ in range(2)]
    known = service.known()
    with service.remembering() as memory:
        anchoring = Anchoring(known, memory)
        assert all(anchoring.who(DIGEST, each) for each in tokens)
        told = give(anchor, "remove", service.folder, ORIGIN)
        assert told == {"origin": ORIGIN, "tokens": 2}
        assert not any(anchoring.who(DIGEST, each) for each in tokens)
    assert [each.origin for each in known.all().values()] == [STRANGER.name]


def test_what_is_held_of_it_stays_held_when_it_is_added_again(service):
    token = anchorhome.add_log(service, ORIGIN)
    with service.remembering() as memory:
        anchoring = Anchoring(service.known(), memory)
        who = anchoring.who(DIGEST, token)
        assert anchoring.change(DIGEST, who, BEGIN).status == 200
        anchorhome.remove_log(service, ORIGIN)
        after = anchorhome.add_log(service, ORIGIN)
        assert not anchoring.who(DIGEST, token)
        who = anchoring.who(DIGEST, after)
        assert json.loads(anchoring.read(DIGEST, who).body)["batch"] == HEAD["batch"]
        assert anchoring.change(DIGEST, who, AGAIN).status == 409


def test_all_else_in_the_list_of_an_anchor_service_stays_as_it_was(service):
    anchorhome.add_log(service, f"{ORIGIN}/2")
    before = service.logs.read_text()
    anchorhome.add_log(service, ORIGIN)
    service.logs.write_text(service.logs.read_text() + f"# {ORIGIN}: ends in May")
    anchorhome.remove_log(service, ORIGIN)
    assert service.logs.read_text() == f"{before}# {ORIGIN}: ends in May"


@pytest.mark.parametrize("origin", ["", "log.example", f"{ORIGIN} ", f"{ORIGIN}\n"])
def test_a_log_that_does_not_anchor_here_cannot_be_taken_out(service, origin):
    anchorhome.add_log(service, ORIGIN)
    before = service.logs.read_bytes()
    with pytest.raises(Refused, match="provlog anchor list"):
        anchorhome.remove_log(service, origin)
    assert service.logs.read_bytes() == before


def test_who_only_changes_a_list_reads_neither_the_store_nor_a_server(ours, service):
    gives = {
        "witness": (ours.folder, SECOND.vkey),
        "anchor": (service.folder, ORIGIN),
    }
    commands = [
        f"{group}.main({words}, standalone_mode=False)"
        for group, (folder, log) in gives.items()
        for words in (
            ["add", str(folder), log],
            ["list", str(folder)],
            ["remove", str(folder), log],
        )
    ]
    begin = "import sys\nfrom cli.witness import witness\nfrom cli.anchor import anchor"
    said = "print(*{'lmdb', 'aiohttp', 'ledger.witness.folder'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([begin, *commands, said])],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "ledger.witness.folder"
