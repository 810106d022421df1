"""A witness's folder: keys that nobody else reads, a memory that never goes back."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from ledger.errors import Held, Refused
from ledger.keys.keyfile import KeyFile, SigningKey
from ledger.keys.witnesskeys import WitnessKeys, read_witness_keys
from ledger.witness.cosigner import Cosigner
from ledger.witness.home import Home, make
from tests.testlog import LOG, ORIGIN
from tests.witness.asked import NAME, request
from tests.witness.serving import ask
from verifier.errors import MalformedError
from verifier.keys import KeyType

SEEN = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


@pytest.fixture
def home(tmp_path):
    home = make(tmp_path / "w", NAME)
    home.logs.write_text(f"log {LOG.vkey}\n")
    return home


def test_nobody_else_can_look_into_it(home):
    assert home.folder.stat().st_mode & 0o777 == 0o700
    assert home.key.stat().st_mode & 0o777 == 0o600


def test_keys_that_others_can_read_are_not_used(home):
    home.key.chmod(0o640)
    with pytest.raises(Held, match="0640"):
        home.signing()


def test_it_has_a_key_of_each_kind_with_one_name_and_two_seeds(home):
    keys = read_witness_keys(home.key).keys
    assert [key.type.value for key in keys] == [0x04, 0x06]
    assert {key.name for key in keys} == {NAME}
    assert keys[0].seed != keys[1].seed


def test_a_key_of_a_log_is_none_of_a_witness_and_the_other_way_round():
    log = SigningKey.generate(ORIGIN, KeyType.ED25519)
    ours = WitnessKeys.generate(NAME)
    with pytest.raises(MalformedError, match="a witness's key is of type 0x04"):
        WitnessKeys.parse(f"{log.text()}\n{ours.keys[1].text()}\n")
    with pytest.raises(MalformedError, match="a log's key is of type 0x01"):
        KeyFile.parse(f"{ours.keys[0].text()}\ngenesis {bytes(16).hex()}\n")


def test_what_cannot_be_read_as_keys_is_not_said(home):
    text = home.key.read_text()
    home.key.write_text(text.replace("PRIVATE", "PUBLIC", 1))
    with pytest.raises(Held) as caught:
        home.signing()
    assert text.split("+")[4][:20] not in str(caught.value)


def test_a_folder_that_has_something_in_it_stays_as_it_is(home):
    before = home.key.read_bytes()
    with pytest.raises(Refused, match="not empty"):
        make(home.folder, NAME)
    assert home.key.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a" * 256])
def test_a_name_that_no_policy_can_have_is_refused(tmp_path, name):
    with pytest.raises(Refused, match="cannot be a witness's name"):
        make(tmp_path / "w", name)
    assert not (tmp_path / "w").exists()


def test_a_folder_without_keys_is_no_witness(tmp_path):
    with pytest.raises(Held, match="there is no witness"):
        Home(tmp_path).signing()


def test_one_that_has_lost_its_memory_is_not_told_to_begin_with_the_same_keys(home):
    shutil.rmtree(home.memory)
    with pytest.raises(Held, match="memory is gone") as caught:
        home.signing()
    assert "another folder, with another name" in str(caught.value.mend)


def test_a_memory_that_was_put_back_is_refused(home):
    with home.remembering() as memory:
        assert Cosigner(home.signing(), home.known(), memory).add(request(0, 5))
    kept = home.folder.parent / "kept"
    shutil.copytree(home.memory, kept)
    with home.remembering() as memory:
        cosigner = Cosigner(home.signing(), home.known(), memory)
        assert cosigner.add(request(5, 8)).status == 200
    shutil.rmtree(home.memory)
    kept.rename(home.memory)
    with pytest.raises(Held):
        home.remembering()


class Served:
    """`provlog witness serve`, in a process of its own."""

    def __init__(self, home):
        command = ("-m", "cli", "witness", "serve", str(home.folder), "--json")
        self.process = subprocess.Popen(
            [sys.executable, *command, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.started = json.loads(self.process.stdout.readline())
        self.port = urlsplit(self.started["url"]).port

    def end(self, number):
        """Send it a signal; how it ends."""
        self.process.send_signal(number)
        with self.process:
            return self.process.wait(20)


def test_what_was_cosigned_survives_every_end_of_the_process(home):
    served = Served(home)
    try:
        assert served.started["name"] == NAME
        answer = ask(served.port, "POST", "/add-checkpoint", request(0, 5))
        assert answer.status == 200
        seen = ask(served.port, "GET", SEEN).body
    finally:
        assert served.end(signal.SIGKILL) == -signal.SIGKILL
    served = Served(home)
    try:
        assert ask(served.port, "GET", SEEN).body == seen
        again = ask(served.port, "POST", "/add-checkpoint", request(0, 8))
        assert (again.status, again.body) == (409, b"5\n")
        answer = ask(served.port, "POST", "/add-checkpoint", request(5, 8))
        assert answer.status == 200
    finally:
        assert served.end(signal.SIGTERM) == 0
    with home.remembering() as memory:
        newest = Cosigner(home.signing(), home.known(), memory).newest
        stored = newest(sha256(ORIGIN.encode()).digest())
        assert stored.endswith(answer.body)
