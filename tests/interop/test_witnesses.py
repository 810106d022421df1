"""A witness of other make cosigns our checkpoints, and ours answers theirs."""

import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

from ledger.witness.home import make
from ledger.witness.known import add_log
from tests.cli.operating import ENVIRONMENT, done
from tests.interop.conftest import SETTINGS
from tests.interop.strangers import STRANGER, key_of, path_of, size_of
from verifier.note import Note

pytestmark = pytest.mark.interop

OMNIWITNESS = "github.com/transparency-dev/witness/omniwitness"
FEEDER = "github.com/transparency-dev/witness/client/http"
TESSERA = "github.com/transparency-dev/tessera"
POLICY = "github.com/transparency-dev/formats/witness"


@contextmanager
def started(*command):
    """A program that says its address in the first line; it is killed at the end."""
    process = subprocess.Popen(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@contextmanager
def our_witness(folder, *vkeys):
    """A witness of ours that knows these logs: its key and its address."""
    home = make(folder, "witness.example/ours")
    keys = home.signing().verifier_keys()
    for each in vkeys:
        add_log(home.logs, each, own=keys)
    words = ("witness", "serve", folder, "--listen", "127.0.0.1:0", "--json")
    with started(sys.executable, "-m", "cli", *words) as line:
        yield keys[0].text(), json.loads(line)["url"] + "/"


def test_an_omniwitness_cosigns_our_checkpoints(
    new_log, new_service, stranger, seen, tmp_path
):
    live = new_log(settings=SETTINGS + 'ack = "witnessed"\n')
    key = tmp_path / "key"
    vkey = stranger("key", "witness.example/theirs", key).strip()
    command = (path_of(STRANGER), "witness", key, "127.0.0.1:0")
    with started(*command, live.policy.logs[0].text()) as url:
        done("policy", "add-witness", live.folder, "w", vkey, "--url", url)
        service = new_service(live)
        # Each is cosigned before it is answered, and each tree grows from the last.
        for number in range(5):
            assert service.submit(b"entry %d" % number).json["witnessed"]
    checkpoint = service.get("/checkpoint").body
    assert vkey.split("+")[0] in {x.name for x in Note.parse(checkpoint).signatures}
    (tmp_path / "checkpoint").write_bytes(checkpoint)
    seen(
        OMNIWITNESS,
        "five trees of ours that grow, asked before each answer",
        "cosigned",
    )
    policy = live.folder / "policy.txt"
    assert "reached" in stranger("policy", policy, tmp_path / "checkpoint")
    seen(POLICY, "our policy file and that checkpoint", "the quorum is reached")


def test_our_witness_answers_their_feeder(ours, stranger, seen, tmp_path):
    with our_witness(tmp_path / "w", key_of(ours)) as (vkey, url):
        words = ("feed", url, vkey, f"{ours.url}/", key_of(ours))
        size = size_of(ours)
        assert f"from size 0 to {size}" in stranger(*words)
        assert f"from size {size} to {size}" in stranger(*words)

    what = "our witness: a first tree, the same again, a wrong size"
    seen(FEEDER, what, "answered as specified")


def test_our_witness_cosigns_for_tessera(stranger, seen, tmp_path):
    vkey = stranger("log-key", "log.example/theirs", tmp_path / "key").strip()
    with our_witness(tmp_path / "w", vkey) as (ours, url):
        for count in (300, 50):
            log = tmp_path / "log"
            stranger("witnessed", log, tmp_path / "key", count, ours, url)
    policy = tmp_path / "policy"
    policy.write_text(f"log {vkey}\nwitness w {ours}\nquorum w\n")
    found = done("audit", "--policy", policy, log)
    assert "quorum" in found
    assert "350 opaque entries" in found
    seen(
        TESSERA,
        "a log of its own that asks our witness for each tree",
        "cosigned, and audited by us",
    )
