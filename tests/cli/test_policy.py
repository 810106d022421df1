"""A witness is added to a policy, and nothing else becomes another: who is believed,
who is asked, what somebody has written beside it.
"""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import witnessing
from cli.witnessing import NewWitness, with_witness
from ledger.errors import Refused
from tests.cli.operating import done, provlog, said
from tests.testlog import LOG, WITNESSES, policy_text, signer
from verifier.policy import Policy

NEW = signer("witness.example/new", 0x04)
COMMENTED = b"""\
# mine
log %(log)s\t https://log.example

  # the first
witness w1 %(w1)s
witness w2 %(w2)s https://w2.example
group inner any w1 w2
# and the quorum
group  all-of  all inner
quorum all-of
# the end
""" % {
    b"log": LOG.vkey.encode(),
    b"w1": WITNESSES[0].vkey.encode(),
    b"w2": WITNESSES[1].vkey.encode(),
}


def new(**changes):
    given = {"name": b"new", "vkey": NEW.vkey.encode(), "url": None}
    return NewWitness(**given | changes)


def added(data, *, least=None, **changes):
    """The policy with the witness, by its new text."""
    text, after = with_witness(data, new(**changes), least=least)
    assert Policy.parse(text) == after
    return text, after


def asked(policy):
    group = policy.groups[policy.quorum]
    return group.least, set(group.members)


def test_a_quorum_of_some_gets_one_member_more_and_asks_as_many():
    _, after = added(policy_text(quorum=2))
    assert asked(after) == (2, {b"w1", b"w2", b"w3", b"new"})


def test_the_number_is_set_if_it_is_given():
    _, after = added(policy_text(quorum=2), least=4)
    assert asked(after)[0] == 4


def test_all_stays_all():
    text, after = added(COMMENTED)
    assert asked(after) == (2, {b"inner", b"new"})
    assert b"group all-of all inner new\n" in text


def test_a_policy_that_asks_nobody_asks_the_witness():
    _, after = added(policy_text(quorum=0, witnesses=()))
    assert asked(after) == (1, {b"new"})


def test_a_policy_that_asks_one_asks_both():
    data = policy_text(quorum=0).replace(b"quorum none", b"quorum w2")
    _, after = added(data)
    assert asked(after) == (2, {b"w2", b"new"})


def test_a_group_of_ours_takes_a_name_that_nobody_has():
    data = policy_text(quorum=0, witnesses=()).replace(
        b"quorum none", b"witness witnesses %s\nquorum none" % NEW.vkey.encode()
    )
    another = signer("witness.example/another", 0x04).vkey.encode()
    _, after = added(data, vkey=another)
    assert after.quorum == b"witnesses-2"


def test_every_other_line_stays_as_it_was_and_where_it_was():
    text, _ = added(COMMENTED, url=b"https://new.example")
    kept = [line for line in text.split(b"\n") if b"new" not in line]
    before = COMMENTED.split(b"\n")
    assert kept == [line for line in before if b"all-of  all" not in line]
    assert b"witness new %s https://new.example\n" % NEW.vkey.encode() in text


REFUSED = {
    "no_name": ({"name": b""}, "is not one word"),
    "two_words": ({"name": b"a b"}, "is not one word"),
    "a_line": ({"name": b"a\nquorum none"}, "is not one word"),
    "comment": ({"name": b"#a"}, "would be a comment"),
    "none": ({"name": b"none"}, "it would be none"),
    "known": ({"name": b"w1"}, "w1 is in the policy already"),
    "group": ({"name": b"2-of-3"}, "is in the policy already"),
    "address": ({"url": b"https://w example"}, "is not one word"),
    "no_key": ({"vkey": b"new"}, "the verifier key"),
    "no_text": ({"vkey": b"\xff+00+AA"}, "the verifier key"),
    "log": ({"vkey": LOG.vkey.encode()}, "the log's own key"),
    "counted": ({"vkey": WITNESSES[2].vkey.encode()}, "w3 has this key already"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_new_witness_is_refused(name):
    changes, says = REFUSED[name]
    with pytest.raises(Refused, match=says):
        added(policy_text(quorum=2), **changes)


@pytest.mark.parametrize("least", [5, 100])
def test_no_more_are_asked_than_there_are(least):
    with pytest.raises(Refused, match="so 1 to 4"):
        added(policy_text(quorum=2), least=least)


@given(st.integers(0, 3), st.integers(0, 3), st.sets(st.sampled_from("ab"), max_size=2))
def test_who_was_asked_before_is_asked_still(count, quorum, more):
    data = policy_text(witnesses=WITNESSES[:count], quorum=min(quorum, count))
    before = Policy.parse(data)
    for name in sorted(more):
        vkey = signer(f"witness.example/{name}", 0x04).vkey.encode()
        data, _ = added(data, name=name.encode(), vkey=vkey)
    after = Policy.parse(data)
    assert after.logs == before.logs
    assert before.witnesses.items() <= after.witnesses.items()
    assert after.asks_witnesses is bool(more or before.asks_witnesses)
    # Nobody who was not enough before is enough now, without the new ones.
    for some in ([], [b"w1"], [b"w1", b"w2"]):
        assert after.satisfied_by({*some}) <= before.satisfied_by({*some})


SPOILED = {
    "log": {"logs": [signer("log.example/other")]},
    "witness": {"witnesses": WITNESSES[:2]},
    "quorum": {"quorum": 0},
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_policy_that_came_out_otherwise_is_not_written(name):
    before = Policy.parse(policy_text(quorum=2))
    other = policy_text(**{"quorum": 2} | SPOILED[name])
    after = Policy.parse(b"witness new %s\n" % NEW.vkey.encode() + other)
    with pytest.raises(Refused, match="write it by hand"):
        witnessing._check_only_added(before, after, new())


def test_a_command_says_what_has_changed(tmp_path):
    path = tmp_path / "policy"
    path.write_bytes(policy_text(quorum=2))
    shown = done("policy", "add-witness", path, "new", NEW.vkey, "--quorum", 3)
    assert "before      any 2 of w1, w2, w3, who have to have cosigned" in shown
    assert "now         any 3 of w1, w2, w3, new, who have to have cosigned" in shown
    found = said("policy", "show", path)
    assert found["groups"][0]["least"] == 3
    assert [each["name"] for each in found["witnesses"]] == ["w1", "w2", "w3", "new"]


def test_what_is_refused_changes_nothing(tmp_path):
    path = tmp_path / "policy"
    path.write_bytes(policy_text(quorum=2))
    given = provlog("policy", "add-witness", path, "w1", NEW.vkey)
    assert given.exit_code == 1
    assert path.read_bytes() == policy_text(quorum=2)
    assert os.listdir(tmp_path) == ["policy"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_bytes(policy_text(quorum=2))
    (tmp_path / "policy").symlink_to("real")
    done("policy", "add-witness", tmp_path / "policy", "new", NEW.vkey)
    assert (tmp_path / "policy").is_symlink()
    assert b"witness new" in (tmp_path / "real").read_bytes()


def test_no_control_character_of_a_policy_reaches_the_terminal(tmp_path):
    path = tmp_path / "policy"
    path.write_bytes(policy_text(quorum=2).replace(b" w1", " w\x9b2J".encode()))
    shown = done("policy", "show", path)
    assert "\x9b" not in shown
    assert r"w\x9b2J" in shown


@pytest.fixture
def folder(tmp_path):
    """The folder of a log, as far as a policy needs one."""
    (tmp_path / "policy.txt").write_bytes(policy_text(quorum=0, witnesses=()))
    return tmp_path


def adding(folder, url):
    """What is said when a witness at `url` is added."""
    words = ["--url", url] if url else []
    return provlog("policy", "add-witness", folder, "new", NEW.vkey, *words)


UNASKED = {
    "private": ("10.1.2.3", "put 10.1.2.3 into the setting reach"),
    "here": ("localhost", "put 127.0.0.1 into the setting reach"),
    "clear": ("9.9.9.9", "is not asked without TLS"),
}


@pytest.mark.parametrize("name", UNASKED)
def test_a_witness_that_the_log_would_not_ask_is_warned_of(name, folder):
    host, says = UNASKED[name]
    given = adding(folder, f"http://{host}")
    assert given.exit_code == 0
    assert "warning: " in given.stderr
    assert says in given.stderr


def test_a_witness_that_has_no_address_is_warned_of(folder):
    given = adding(folder, None)
    assert given.exit_code == 0
    assert "warning: without --url the log does not ask this witness" in given.stderr


def test_a_witness_that_is_in_reach_is_not_warned_of(folder):
    (folder / "log.toml").write_text('reach = ["10.0.0.0/8"]\n')
    given = adding(folder, f"http://{UNASKED['private'][0]}")
    assert given.exit_code == 0
    assert "warning" not in given.stderr


def test_what_is_left_to_do_is_said_and_verifiers_come_last(folder):
    steps = adding(folder, "https://new.example").stderr.splitlines()
    assert len(steps) == 3
    assert f"provlog witness add W {LOG.vkey}" in steps[0]
    assert "service again" in steps[1]
    assert "everybody who verifies" in steps[2]


def test_an_address_that_nobody_could_ask_is_refused_and_changes_nothing(folder):
    before = (folder / "policy.txt").read_bytes()
    given = adding(folder, "https://me:secret@new.example")
    assert given.exit_code == 1
    assert "is not an address to ask" in given.stderr
    assert "secret" not in given.stderr
    assert (folder / "policy.txt").read_bytes() == before
