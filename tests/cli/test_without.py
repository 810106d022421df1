"""One outsider who is silent stops neither an export nor a rotation, if he is named.

Nothing else is done without: who is not named is asked, and a quorum stays a quorum.
"""

from __future__ import annotations

import pytest

from ledger.keys.keyfile import read_key_file
from tests.cli.operating import done, provlog, said
from tests.faults.public import QUICK, Eye, watched
from tests.witness.anchors import AnchorService
from tests.witness.hostile import says

SOON = QUICK + "witness_timeout_ms = 1500\n"


@pytest.fixture
def log(new_log):
    log = new_log(settings=SOON)
    log.append(b"one", b"two")
    return log


@pytest.fixture
def silent(log, tmp_path):
    """The address of an anchor that has answered once, and does not any more."""
    service = AnchorService(tmp_path / "service", log.charter.origin)
    settings = log.folder / "log.toml"
    with service.up():
        text = f'anchors = ["{service.url}"]\nreach = ["127.0.0.1"]\n'
        settings.write_text(SOON.replace('reach = ["127.0.0.1"]\n', "") + text)
        token = log.folder / "anchor.token"
        token.write_text(f"{service.url} {service.token}\n")
        token.chmod(0o600)
        log.append(b"three")
    yield service.url
    settings.write_text(SOON)


def key_count(log):
    return len(read_key_file(log.folder / "key").keys)


def set_target(log, name):
    settings = log.folder / "log.toml"
    settings.write_text(settings.read_text() + f'targets = ["{name}"]\n')


# Export


def test_an_export_goes_without_the_anchor_that_is_named(log, silent, tmp_path):
    refused = provlog("export", log.folder, tmp_path / "public")
    assert refused.exit_code == 2
    assert f"--without {silent}" in refused.stderr
    assert not (tmp_path / "public").exists()
    words = ("export", log.folder, tmp_path / "public", "--without", silent)
    assert said(*words)["size"] == 3


def test_an_export_does_not_ask_the_witness_that_is_named(log, tmp_path):
    eye = Eye("w1", log)
    mute = ("w2", Eye("w2", log).vkey, says(500))
    with watched(log, ("w1", eye.vkey, eye), mute, quorum="any") as [one, two]:
        words = ("export", log.folder, tmp_path / "public", "--without", "w2")
        assert said(*words)["witnessed"]
        assert one.bodies
        assert not two.bodies


def test_an_export_without_a_witness_is_not_one_without_a_quorum(log, tmp_path):
    with watched(log, ("w1", Eye("w1", log).vkey, says(500))):
        words = ("export", log.folder, tmp_path / "public", "--without", "w1")
        refused = provlog(*words)
        assert refused.exit_code == 2
        assert "no quorum of witnesses" in refused.stderr


@pytest.mark.parametrize("command", ["export", "rotate", "finish"])
def test_a_name_that_is_nobodys_is_refused(log, command, tmp_path):
    words = {
        "export": ("export", log.folder, tmp_path / "public"),
        "rotate": ("key", "rotate", log.folder),
        "finish": ("key", "rotate", log.folder, "--finish"),
    }[command]
    if command == "finish":
        done("key", "rotate", log.folder)
    before = key_count(log)
    refused = provlog(*words, "--without", "nobody")
    assert refused.exit_code == 2
    assert "--without nobody" in refused.stderr
    assert key_count(log) == before


# Rotation


def test_a_rotation_goes_without_the_target_that_is_named(log):
    set_target(log, "gone")
    words = ("key", "rotate", log.folder)
    without = ("--without", "gone")
    for more, before, after in (((), 2, 4), (("--finish",), 4, 2)):
        assert provlog(*words, *more).exit_code
        assert key_count(log) == before
        done(*words, *more, *without)
        assert key_count(log) == after
    (log.folder / "log.toml").write_text(SOON)


def test_a_rotation_ends_without_the_witness_that_is_named(log):
    eye = Eye("w1", log)
    with watched(log, ("w1", eye.vkey, eye)) as [witness]:
        words = ("key", "rotate", log.folder)
        done(*words)
        witness.behave = says(500)
        refused = provlog(*words, "--finish")
        assert refused.exit_code == 1
        assert "no quorum of witnesses" in refused.stderr
        assert key_count(log) == 4
        done(*words, "--finish", "--without", "w1")
        assert key_count(log) == 2
