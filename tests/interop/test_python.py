"""Tools in Python that others have written, on what this log gives out and takes.

In more detail tests/strangers has them, which needs no Go and runs each time.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope

from ledger.keys.attesting import make_dsse
from ledger.keys.producerkey import ProducerKey
from tests.cli.operating import done
from tests.hosted import hosted, logged
from tests.interop.strangers import key_of
from tests.service.test_openapi import schemathesis
from tests.statements import IN_TOTO
from tests.strangers import test_scitt_cose as scitt
from tests.strangers import test_securesystemslib as dsse
from tests.strangers.foreignkeys import producer

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A statement log that takes what the lab signs, and signs receipts as -8."""
    lab = producer("lab", *scitt.KEYS.values(), issuers=(scitt.ISSUER,))
    folder = tmp_path_factory.mktemp("statements")
    settings = 'receipt_algorithm = "-8"\n'
    with hosted(folder, lab, kind="statement", settings=settings) as made:
        yield made


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A record log, which takes envelopes as well."""
    builder = producer("builder", *dsse.KEYS.values())
    with hosted(tmp_path_factory.mktemp("records"), builder, kind="record") as made:
        yield made


def test_proofbundle_verifies_our_tlog_proofs(ours, seen, tmp_path):
    policy = ("--policy", ours.live.folder / "policy.txt")
    proof, payload = tmp_path / "77.tlog-proof", tmp_path / "entry"
    done("get", ours.url, 77, *policy, "--form", "tlog-proof", "--out", proof)
    command = (Path(sys.prefix) / "bin/proofbundle", "verify-proof", proof)
    expected = ("--log-vkey", key_of(ours), "--expected-origin", "log.example/live")

    def verified(data: bytes) -> bool:
        payload.write_bytes(data)
        words = (*command, "--payload-file", payload, *expected)
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    assert verified(b"entry 77")
    assert not verified(b"entry 78")
    seen("proofbundle", "a tlog-proof of ours; with another entry", "holds; refused")


def test_scitt_cose_verifies_our_cose_receipts(service, seen):
    statement = scitt.built()
    receipt = scitt.receipt_of(service, statement)
    assert scitt.verified(service, receipt, statement).ok
    assert not scitt.verified(service, receipt, scitt.built(payload=b"other")).ok
    what = "a COSE receipt of ours for a statement of its make; for another statement"
    seen("scitt-cose", what, "holds; refused")


def test_securesystemslib_verifies_our_envelopes_and_we_take_its(records, seen):
    key = dsse.KEYS["Ed25519"]
    maker = ProducerKey.parse(key.pem.decode())
    made = json.loads(make_dsse([maker], dsse.slsa(), IN_TOTO))
    assert Envelope.from_dict(made).verify(dsse.its_keys(key, ours=True), 1)
    assert logged(records, dsse.text(dsse.enveloped(key)))
    what = "a DSSE envelope of ours; one of its make, handed in"
    seen("securesystemslib", what, "verifies; logged")


def test_schemathesis_finds_the_api_to_be_as_it_is_described(ours, seen):
    briefly = ("--generation-deterministic", "--phases", "examples,coverage")
    status, said = schemathesis(ours, *briefly, "--max-examples", "1")
    assert status == 0, said
    what = "the HTTP API, held against its OpenAPI description"
    seen("schemathesis", what, "conforms")
