"""Our verifier, auditor, monitor, mirror and commands on a log that Tessera wrote."""

import json

import pytest

from tests.cli.operating import done, provlog, said

pytestmark = pytest.mark.interop

TESSERA = "github.com/transparency-dev/tessera"


def found_size(theirs):
    """How large it is by now: a test lets it grow."""
    return int((theirs.folder / "checkpoint").read_text().split("\n")[1])


def test_it_is_audited(theirs, seen):
    words = ("audit", "--policy", theirs.policy, theirs.folder, "--json")
    found = json.loads(done(*words))
    (tree,) = (each for each in found["findings"] if each["check"] == "tree")
    assert found["holds"] is True
    assert f"{found_size(theirs)} opaque entries" in tree["says"]
    seen(TESSERA, "its log, by `provlog audit`", "every entry and tile holds")


def test_a_flipped_bit_of_it_is_found(theirs, tmp_path):
    done("mirror", theirs.folder, tmp_path / "M", "--policy", theirs.policy, "--once")
    damaged = tmp_path / "M/tile/entries/001"
    data = bytearray(damaged.read_bytes())
    data[1_000] ^= 1
    damaged.chmod(0o644)
    damaged.write_bytes(data)
    found = provlog("audit", "--policy", theirs.policy, tmp_path / "M")
    assert found.exit_code == 1
    assert "tile/entries/001" in found.stdout


def test_it_is_watched_while_it_grows(theirs, stranger, seen, tmp_path):
    state = ("--state", tmp_path / "state")
    watch = ("monitor", "--once", "--policy", theirs.policy, *state, theirs.folder)
    assert "holds" in done(*watch)
    stranger("write", theirs.folder, theirs.folder.parent / "key", 100)
    assert f"{found_size(theirs)}" in done(*watch)
    seen(TESSERA, "its log growing, by `provlog monitor`", "it has only grown")


def test_it_is_mirrored_and_the_mirror_is_what_its_own_fsck_wants(
    theirs, stranger, seen, tmp_path
):
    kept = tmp_path / "M"
    done("mirror", theirs.folder, kept, "--policy", theirs.policy, "--once")
    assert "re-hashed" in stranger("fsck", kept, theirs.vkey)
    seen(f"{TESSERA}/fsck", "our mirror of its log", "in order")


def test_bundles_are_made_of_it_and_hold_offline(theirs, seen, tmp_path):
    (tmp_path / "entry").write_bytes(b"entry 77")
    found = said("check", theirs.folder, tmp_path / "entry", "--policy", theirs.policy)
    index = found["entries"][0]["index"]
    bundle = tmp_path / "bundle"
    words = ("--policy", theirs.policy)
    done("get", theirs.folder, index, *words, "--out", bundle)
    assert "inclusion   holds" in done("verify", *words, bundle)
    seen(TESSERA, "a bundle of an entry of its log, offline", "holds")
