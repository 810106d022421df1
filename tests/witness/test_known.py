"""A witness knows the logs of its list, by their keys, and no others."""

from __future__ import annotations

import pytest

from ledger.errors import Held, Refused
from ledger.witness.known import Known, add_log, parse_logs
from tests.testlog import LOG, ORIGIN, Signer, signer
from tests.witness.asked import KEYS, NAME
from verifier.errors import MalformedError
from verifier.keys import VerifierKey

KEY = VerifierKey.parse(LOG.vkey)
SECOND = Signer(ORIGIN, 0x06, b"\x03" * 32)
OWN = [key.verifier_key for key in KEYS.keys]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "logs.txt"
    path.write_text(f"# ours\n\nlog {LOG.vkey}\n")
    return path


def test_the_name_of_a_key_is_the_origin_of_its_log(path):
    assert Known(path).keys_of(ORIGIN) == (KEY,)
    assert Known(path).keys_of("other.example/log") == ()


def test_a_log_may_have_several_keys(path):
    add_log(path, SECOND.vkey, own=OWN)
    assert [key.text() for key in Known(path).keys_of(ORIGIN)] == [
        LOG.vkey,
        SECOND.vkey,
    ]


def test_a_log_that_is_added_is_known_at_once_and_what_stood_there_stays(path):
    known, other = Known(path), signer("other.example/log")
    assert not known.keys_of(other.name)
    add_log(path, other.vkey, own=OWN)
    assert known.keys_of(other.name)
    assert path.read_text() == f"# ours\n\nlog {LOG.vkey}\nlog {other.vkey}\n"


def test_a_list_of_the_witness_network_is_read_as_it_is():
    other = signer("key.example")
    text = (
        f"# a list\nlogs/v0\n\nvkey {LOG.vkey}\nqpd 86400\ncontact a@log.example\n"
        f"\nvkey {other.vkey}\norigin go.sum database tree\n"
    )
    found = parse_logs(text.encode())
    assert {each: [key.text() for key in keys] for each, keys in found.items()} == {
        ORIGIN: [LOG.vkey],
        "go.sum database tree": [other.vkey],
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("log", "line 1"),
        ("log nothing", "line 1: a vkey is"),
        ("witness w1", 'line 1: it is not "log VKEY"'),
        (f"vkey {LOG.vkey}", "line 1: it is not"),
        (f"log {LOG.vkey}\nlog {LOG.vkey}", "line 2: a second key"),
        (f"log {signer(ORIGIN, 0x04).vkey}", "is a witness's"),
        (f"log {signer('a' * 256).vkey}", "255 bytes"),
        (f"log {signer(NAME).vkey}", "is this witness itself"),
        (f"logs/v0\nvkey {LOG.vkey}\norigin {NAME}", "line 3: .* this witness itself"),
    ],
)
def test_what_is_no_list_of_logs_is_refused(line, says):
    with pytest.raises(MalformedError, match=says):
        parse_logs(f"{line}\n".encode(), own=OWN)


def test_a_log_has_no_key_of_the_witness():
    stolen = VerifierKey(ORIGIN, KEY.type, OWN[0].public_key)
    with pytest.raises(MalformedError, match="a key of this witness"):
        parse_logs(f"log {stolen.text()}\n".encode(), own=OWN)


@pytest.mark.parametrize("vkey", ["", LOG.vkey, "a+b+c", f"{SECOND.vkey}\nlog x"])
def test_a_log_that_cannot_be_added_leaves_the_list_as_it_is(path, vkey):
    before = path.read_bytes()
    with pytest.raises(Refused):
        add_log(path, vkey, own=OWN)
    assert path.read_bytes() == before


def test_who_adds_what_is_no_key_hears_where_keys_are(path):
    with pytest.raises(Refused, match="the word after log in the log's policy") as no:
        add_log(path, "policy.txt", own=OWN)
    assert "line" not in str(no.value)


def test_a_list_that_is_gone_is_not_an_empty_one(path):
    known = Known(path)
    assert known.all()
    path.unlink()
    with pytest.raises(Held, match="cannot be used"):
        known.all()
