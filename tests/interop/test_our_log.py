"""Other people's clients and checkers of integrity read a log of ours over HTTP."""

import pytest

from tests.cli.operating import done
from tests.interop.conftest import SETTINGS
from tests.interop.strangers import key_of, size_of

pytestmark = pytest.mark.interop

SUMDB = "golang.org/x/mod/sumdb"
TESSERA = "github.com/transparency-dev/tessera"
FORMATS = "github.com/transparency-dev/formats/proof"


def test_gos_checksum_database_opens_our_checkpoints(ours, stranger, seen, tmp_path):
    (tmp_path / "checkpoint").write_bytes(ours.get("/checkpoint").body)
    said = stranger("note", tmp_path / "checkpoint", key_of(ours))
    assert "signed by log.example/live; others unknown: 2" in said
    other = "log.example/live+3ec9e2e9+AVCOVFXbRMQE0rLfqqxD7uWIZFLTlmLtlMaYqUTJqzKA"
    assert stranger.ended("note", tmp_path / "checkpoint", other).returncode == 1
    seen(f"{SUMDB}/note", "a checkpoint of ours under our key", "opens")


@pytest.mark.parametrize(
    ("name", "who"), [("tlog", f"{SUMDB}/tlog"), ("client", f"{TESSERA}/client")]
)
def test_each_entry_is_proven_out_of_our_tiles(ours, stranger, seen, name, who):
    said = stranger(name, f"{ours.url}/", key_of(ours))
    assert f"{size_of(ours)} entries of log.example/live" in said
    what = "inclusion of every entry, growth from smaller trees, out of our tiles"
    seen(who, what, "all proofs hold")


def test_their_reader_of_tlog_proofs_reads_and_writes_ours(
    ours, stranger, seen, tmp_path
):
    policy = ("--policy", ours.live.folder / "policy.txt")
    proof, entry = tmp_path / "77.tlog-proof", tmp_path / "entry"
    done("get", ours.url, 77, *policy, "--form", "tlog-proof", "--out", proof)
    entry.write_bytes(b"entry 77")
    said = stranger("proof", proof, entry, key_of(ours))
    assert said == f"entry 77 of {size_of(ours)}\n"
    entry.write_bytes(b"entry 78")
    assert stranger.ended("proof", proof, entry, key_of(ours)).returncode == 1
    what = "a tlog-proof of ours, read, verified, and written again"
    seen(FORMATS, what, "holds, and is the same bytes")


def test_fsck_finds_the_whole_log_in_order(ours, stranger, seen):
    assert "re-hashed, and every tile" in stranger("fsck", f"{ours.url}/", key_of(ours))
    seen(f"{TESSERA}/fsck", "the whole log, re-hashed, and every tile", "in order")


def test_fsck_finds_a_flipped_bit(ours, stranger, seen, tmp_path):
    public = tmp_path / "public"
    done("export", ours.live.folder, public)
    damaged = public / "tile/entries/001"
    data = bytearray(damaged.read_bytes())
    data[1_000] ^= 1
    damaged.write_bytes(data)
    found = stranger.ended("fsck", public, key_of(ours))
    assert found.returncode == 1
    assert "failed: tile/" in found.stderr
    seen(f"{TESSERA}/fsck", "an export of ours with one flipped bit", "refused")


@pytest.fixture
def written(new_service):
    """A service that is written to."""
    return new_service(settings=SETTINGS)


def test_tesseras_integration_test_is_passed(written, integration, seen):
    said = integration(
        *("--run_integration_test", "-test.v", "-test.timeout=100s"),
        *("--log_url", f"{written.url}/", "--write_log_url", f"{written.url}/"),
        *("--log_public_key", key_of(written), "--test_entry_size", 1_024),
    )
    assert "PASS" in said
    assert "SKIP" not in said
    what = "1,024 entries added at once, read again, each by its proof"
    seen(f"{TESSERA}/integration", what, "passed")


def test_the_hammer_breaks_nothing(written, hammer, seen):
    said = hammer.ended(
        *("--log_public_key", key_of(written)),
        *("--log_url", f"{written.url}/", "--write_log_url", f"{written.url}/"),
        *("--num_writers=256", "--max_write_ops=10000", "--leaf_write_goal=5000"),
        *("--max_runtime=90s", "--show_ui=false", "--leaf_min_size=300"),
    )
    assert said.returncode == 0, said.stderr
    what = "256 writers and 8 readers until 5,000 are logged"
    seen(f"{TESSERA}/internal/hammer", what, "consistent, nothing lost")
