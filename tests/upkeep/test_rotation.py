"""A planned rotation: first both generations sign, then the new one; nobody is lost."""

import os

import pytest

from ledger.errors import Held, Refused
from ledger.keys.keyfile import read_key_file
from ledger.log.log import Log
from ledger.upkeep import rotation
from ledger.upkeep.rotation import finish, rotate
from tests.testlog import LOG, WITNESSES
from tests.upkeep.spoil import entries, is_sound, public, records
from verifier import Entry, Policy, verify_checkpoint
from verifier.errors import UntrustedError
from verifier.keys import KeyType
from verifier.own import parse_own

MADE = {"record": records, "opaque": entries}


@pytest.fixture(params=MADE)
def log(new_log, request):
    log = new_log(kind=request.param)
    log.append(*MADE[request.param](3))
    return log


def policy(log):
    """The policy that the log hands out just now."""
    return Policy.parse((log.folder / "policy.txt").read_bytes())


def key_file(log):
    return read_key_file(log.folder / "key")


def signed(log, time=None):
    """A checkpoint of just now."""
    with log.open() as opened:
        assert opened.hold is None
        return opened.checkpoint(time=time)


def later(log):
    """The policy of whoever believes the ML-DSA-44 keys alone."""
    lines = (log.folder / "policy.txt").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("log ")]
    return Policy.parse(("\n".join(kept).replace("#log ", "log ") + "\n").encode())


def own_entries(log):
    """What the log says about its keys."""
    if log.charter.kind != "record":
        return []
    with log.open() as opened:
        found = map(Entry.parse, opened.reading.entries(0, opened.head.size))
        own = [parse_own(each) for each in found if each.by == "log"]
    return [each for each in own if each["kind"] == "key.rotate"]


def public_keys(keys):
    return [key.verifier_key.text() for key in keys.keys]


def test_in_between_old_and_new_policies_accept(log):
    old, old_later = policy(log), later(log)
    before = signed(log, time=1_790_000_000)
    keys = rotate(log.folder)
    assert [key.type for key in keys.keys] == 2 * [
        KeyType.ED25519,
        KeyType.ML_DSA_COSIGNATURE,
    ]
    new, new_later = policy(log), later(log)
    both = signed(log, time=1_790_000_001)
    for each in (old, new, old_later, new_later):
        verify_checkpoint(both, each)
    verify_checkpoint(before, new)
    log.append(*MADE[log.charter.kind](3, 3))
    assert is_sound(log.folder)


def test_at_the_end_the_old_key_is_gone(log):
    old, old_later = policy(log), later(log)
    added = rotate(log.folder).keys[2:]
    assert finish(log.folder).keys == added
    assert key_file(log).keys == added
    after = signed(log, time=1_790_000_002)
    log.policy = policy(log)
    for each in (log.policy, later(log)):
        verify_checkpoint(after, each)
    for each in (old, old_later):
        with pytest.raises(UntrustedError):
            verify_checkpoint(after, each)
    assert is_sound(log.folder)
    log.append(*MADE[log.charter.kind](3, 3))


def test_a_record_log_says_each_step(log):
    both, new = rotate(log.folder), finish(log.folder)
    log.policy = policy(log)
    expected = [public_keys(both), public_keys(new)]
    said = [each["keys"] for each in own_entries(log)]
    assert said == (expected if log.charter.kind == "record" else [])


def test_keys_can_be_changed_again_and_again(log):
    for _ in range(3):
        rotate(log.folder)
        finish(log.folder)
    log.policy = policy(log)
    assert len(key_file(log).keys) == 2
    assert key_file(log).genesis == log.charter.genesis


def test_one_rotation_at_a_time(log):
    with pytest.raises(Refused, match="begin one: provlog key rotate"):
        finish(log.folder)
    rotate(log.folder)
    with pytest.raises(Refused, match=r"key rotate /.* --finish"):
        rotate(log.folder)


def test_a_log_that_does_not_write_keeps_its_keys(log):
    before = key_file(log)
    (log.folder / "anchor").rename(log.folder / "elsewhere")
    with pytest.raises(Held) as held:
        rotate(log.folder)
    assert held.value.state == "anchor_missing"
    (log.folder / "elsewhere").rename(log.folder / "anchor")
    assert key_file(log) == before


def test_the_old_key_stays_until_every_target_has_seen_the_new_one(log, tmp_path):
    public(log, tmp_path / "public")
    toml = log.folder / "log.toml"
    toml.write_text('min_free_bytes = 0\ntargets = ["../public"]\n')
    rotate(log.folder)
    with pytest.raises(Refused, match=r"public.*bring it up to date"):
        finish(log.folder)
    public(log, tmp_path / "public")
    finish(log.folder)
    log.policy = policy(log)
    signed(log)


# Crashes


def crash(*_, **__):
    raise KeyboardInterrupt


STEPS = {
    "keys aside": (rotation, "write_key_file"),
    "log": (Log, "open"),
    "policy": (rotation, "write_policy"),
    "keys": (os, "replace"),
    "sync": (rotation, "sync_path"),
}


@pytest.mark.parametrize("step", STEPS)
def test_after_a_crash_a_rotation_is_begun_again(log, monkeypatch, step):
    old = policy(log)
    with monkeypatch.context() as patch:
        replace = os.replace
        name = STEPS[step][1]

        def keys_only(source, dest):
            if str(dest).endswith("/key"):
                raise KeyboardInterrupt
            replace(source, dest)

        patch.setattr(*STEPS[step], keys_only if name == "replace" else crash)
        with pytest.raises(KeyboardInterrupt):
            rotate(log.folder)
    for each in (old, policy(log)):
        verify_checkpoint(signed(log), each)
    if step != "sync":
        rotate(log.folder)
    assert len(key_file(log).keys) == 4
    for each in (old, policy(log)):
        verify_checkpoint(signed(log), each)
    # What was said in the log before the crash is what came true.
    assert all(each["keys"] == public_keys(key_file(log)) for each in own_entries(log))


@pytest.mark.parametrize("step", STEPS)
def test_after_a_crash_it_is_ended_again(log, monkeypatch, step):
    rotate(log.folder)
    log.policy = policy(log)
    with monkeypatch.context() as patch:
        replace = os.replace

        def keys_only(source, dest):
            if str(dest).endswith("/key"):
                raise KeyboardInterrupt
            replace(source, dest)

        name = STEPS[step][1]
        patch.setattr(*STEPS[step], keys_only if name == "replace" else crash)
        with pytest.raises(KeyboardInterrupt):
            finish(log.folder)
    verify_checkpoint(signed(log), policy(log))
    if step != "sync":
        finish(log.folder)
    assert len(key_file(log).keys) == 2
    log.policy = policy(log)
    verify_checkpoint(signed(log), log.policy)


def test_what_another_log_left_behind_is_not_rotated_to(log, new_log):
    other = new_log("other")
    rotate(other.folder)
    (log.folder / "key.next").write_bytes((other.folder / "key").read_bytes())
    (log.folder / "key.next").chmod(0o600)
    keys = rotate(log.folder)
    assert keys.origin == log.charter.origin
    assert keys.genesis == log.charter.genesis
    assert keys.keys[2:] != key_file(other).keys[2:]


def test_a_key_that_was_let_go_does_not_come_back(log):
    rotate(log.folder)
    both = (log.folder / "key").read_bytes()
    finish(log.folder)
    (log.folder / "key.next").write_bytes(both)
    (log.folder / "key.next").chmod(0o600)
    before = key_file(log).keys
    keys = rotate(log.folder).keys
    assert keys[:2] == before
    assert len(keys) == 4
    log.policy = policy(log)


def test_who_was_overtaken_by_another_changes_nothing(new_log, monkeypatch):
    log = new_log()
    with_new = rotation._with_new

    def overtaken(old):
        monkeypatch.setattr(rotation, "_with_new", with_new)
        rotate(log.folder)
        return with_new(old)

    monkeypatch.setattr(rotation, "_with_new", overtaken)
    with pytest.raises(Refused, match="changed by somebody else"):
        rotate(log.folder)
    keys = read_key_file(log.folder / "key")
    assert len(keys.keys) == 4
    for key in keys.keys:
        assert key.verifier_key.text() in (log.folder / "policy.txt").read_text()


def test_a_policy_that_somebody_has_changed_gets_the_keys_and_keeps_all_else(new_log):
    log = new_log()
    path = log.folder / "policy.txt"
    witness = f"witness w1 {WITNESSES[0].vkey}"
    lines = [each for each in path.read_text().splitlines() if each != "quorum none"]
    path.write_text("\n".join([*lines, "# ours", witness, "quorum w1", ""]))
    old = key_file(log).keys
    for step, count in ((rotate, 4), (finish, 2)):
        keys = step(log.folder).keys
        assert len(keys) == count
        found = path.read_text()
        assert "# ours\n" in found
        now = Policy.parse(path.read_bytes())
        assert now.witnesses[b"w1"].key.text() == WITNESSES[0].vkey
        assert now.quorum == b"w1"
        assert [each.text() for each in now.logs] == [
            each.verifier_key.text() for each in keys if each.type is KeyType.ED25519
        ]
        # The lines in comments, for those who fear quantum computers, go with them.
        assert all(found.count(each.verifier_key.text()) == 1 for each in keys)
    assert all(each.verifier_key.text() not in found for each in old)
    assert not (log.folder / "policy.next.txt").exists()
    log.policy = policy(log)


def test_a_policy_that_believes_none_of_our_keys_stays_and_the_new_one_is_beside_it(
    new_log,
):
    log = new_log()
    path = log.folder / "policy.txt"
    mine = f"log {LOG.vkey}\nquorum none\n"
    path.write_text(mine)
    keys = rotate(log.folder)
    assert path.read_text() == mine
    beside = (log.folder / "policy.next.txt").read_text()
    assert all(key.verifier_key.text() in beside for key in keys.keys)
