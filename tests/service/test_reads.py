"""What is asked for by index, size, id or digest is right, and can be verified."""

import asyncio
import base64
import json
import threading
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.http.lookups import Lookups
from ledger.index.lookup import Lookup
from tests.livelog import FIRST
from tests.records import SMALLEST
from tests.reference.rfc6962 import Tree
from tests.service.standing import RECORD, holds, standing
from verifier import Bundle, Receipt
from verifier.hashing import leaf_hash
from verifier.proof import verify_consistency, verify_inclusion

LOGGED = [b"entry %d" % index for index in range(300)]
TREE = Tree(LOGGED)
BUNDLE = "application/vnd.provlog.bundle+json"
JSON = "application/json"
KINDS = ("text/plain", "text/x.tlog.proof", BUNDLE, JSON)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """An opaque log of some entries."""
    with standing(tmp_path_factory.mktemp("reads"), LOGGED) as made:
        yield made


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A record log of some records, each logged by itself."""
    with standing(tmp_path_factory.mktemp("records"), kind="record") as made:
        for number in range(1, 6):
            made.submit(RECORD % number)
        yield made


def hashes(answer):
    return [base64.b64decode(each) for each in answer.json["proof"]]


# Entries


@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_an_entry_is_the_bytes_that_were_logged(service, index):
    got = service.get(f"/v1/entries/{index}")
    assert got.body == LOGGED[index]
    assert got.headers["Content-Type"] == "application/octet-stream"


def test_the_largest_entry_can_be_read_in_every_form(new_service):
    service, entry = new_service(), b"x" * 65_535
    service.post("/add", entry)
    service.until(lambda: service.get("/v1/receipts/0").status == 200)
    assert service.get("/v1/entries/0").body == entry
    said = service.get("/v1/entries/0", Accept=JSON).json
    assert base64.b64decode(said["entry"]) == entry
    bundle = Bundle.parse(service.get("/v1/receipts/0", Accept=BUNDLE).body)
    assert bundle.entry == entry


def test_no_browser_takes_an_entry_for_a_page(service):
    headers = service.get("/v1/entries/0").headers
    assert headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_entry_says_to_a_person_what_was_recorded(records):
    got = records.get(f"/v1/entries/{FIRST}", Accept=JSON)
    assert got.json["record"] == json.loads(RECORD % 1)
    assert got.json["by"].startswith("o-")
    assert got.json["at"] > 1_700_000_000_000
    assert got.headers["Vary"] == "Accept"


@pytest.mark.parametrize(("index", "kind"), [(0, "genesis"), (1, "schema.publish")])
def test_the_first_entries_of_a_record_log_are_its_own(records, index, kind):
    got = records.get(f"/v1/entries/{index}", Accept=JSON)
    assert got.json["by"] == "log"
    assert got.json["own"]["kind"] == kind


def test_an_older_log_gets_its_schema_when_a_service_starts_and_once(
    new_log, new_service
):
    live = new_log(kind="record", older=True)
    for number in (1, 2):
        service = new_service(live)
        service.until(lambda log=service: log.get("/v1/entries/1").status == 200)
        own = service.get("/v1/entries/1", Accept=JSON).json["own"]
        assert own["kind"] == "schema.publish"
        assert service.submit(RECORD % number).json["index"] == 1 + number
        service.stop()


@pytest.mark.parametrize(
    "path",
    [
        *("entries/300", "entries/9223372036854775807", "entries/9999999999999999999"),
        *("entries/00", "entries/+1", "entries/-1", "entries/1_0", "entries/1.0"),
        *("entries/", "entries/0/", "entries/0x0", "entries/%30"),
        "entries/99999999999999999999",
        *("receipts/300", "receipts/0/301", "receipts/5/5", "receipts/0/0"),
        *("proofs/inclusion/0/301", "proofs/inclusion/5/5", "proofs/inclusion/0/0"),
        *("proofs/consistency/2/1", "proofs/consistency/1/301"),
        *("proofs/consistency/0/301", "proofs/consistency/1/9999999999999999999"),
        *("lookup/digest/" + "0" * 64, "lookup/digest/" + "0" * 63),
        *("lookup/digest/" + "A" * 64, "lookup/record/" + "0" * 36),
        *(f"lookup/digest/{'0' * 64}/{first}" for first in ("7", "999", "01", "", "x")),
        f"lookup/digest/{'0' * 64}/9999999999999999999",
    ],
)
def test_what_is_not_there_is_kept_by_nobody(service, path):
    got = service.get(f"/v1/{path}")
    assert (got.status, got.problem) == (404, "not-found")
    assert got.headers["Cache-Control"] == "no-store"


# Receipts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("index", [0, 255, 299])
def test_a_receipt_leads_to_a_published_checkpoint(service, kind, index):
    got = service.get(f"/v1/receipts/{index}", Accept=kind)
    assert got.headers["Content-Type"].partition(";")[0] == kind
    assert got.headers["Vary"] == "Accept"
    if kind == BUNDLE:
        receipt = Bundle.parse(got.body).receipt
        assert Bundle.parse(got.body).entry == LOGGED[index]
    elif kind == JSON:
        receipt = Receipt.parse(got.json["receipt"].encode())
        assert base64.b64decode(got.json["entry"]) == LOGGED[index]
    else:
        receipt = Receipt.parse(got.body)
    assert holds(service, receipt, LOGGED[index]).size == len(LOGGED)


def test_a_receipt_can_be_had_for_every_size_that_was_signed(records):
    for size in range(FIRST + 1, FIRST + 6):
        entry = records.get(f"/v1/entries/{FIRST}").body
        receipt = Receipt.parse(records.get(f"/v1/receipts/{FIRST}/{size}").body)
        assert holds(records, receipt, entry).size == size


@pytest.mark.exhaustive
def test_and_for_one_that_was_published_before_a_new_start(new_log, new_service):
    live = new_log()
    first = new_service(live)
    first.submit(b"entry")
    first.until(lambda: b"\n1\n" in first.get("/checkpoint").body)
    first.stop()
    live.append(b"another", b"and another")
    second = new_service(live)
    receipt = Receipt.parse(second.get("/v1/receipts/0/1").body)
    assert holds(second, receipt, b"entry").size == 1
    assert second.get("/v1/receipts/0/2").status == 404


# Proofs


@pytest.mark.parametrize(("index", "size"), [(0, 1), (7, 8), (3, 257), (299, 300)])
def test_a_proof_of_inclusion_verifies_at_any_size(service, index, size):
    got = service.get(f"/v1/proofs/inclusion/{index}/{size}")
    root = TREE.mth(0, size)
    verify_inclusion(
        leaf_hash(LOGGED[index]), index=index, size=size, proof=hashes(got), root=root
    )
    assert got.headers["Cache-Control"].endswith("immutable")


@pytest.mark.parametrize(("first", "second"), [(1, 2), (255, 257), (300, 300)])
def test_a_proof_of_consistency_verifies(service, first, second):
    got = service.get(f"/v1/proofs/consistency/{first}/{second}")
    before, after = TREE.mth(0, first), TREE.mth(0, second)
    verify_consistency(
        first=first,
        first_root=before,
        second=second,
        second_root=after,
        proof=hashes(got),
    )


def test_every_tree_begins_with_the_empty_one(service):
    assert service.get("/v1/proofs/consistency/0/300").json["proof"] == []


# Lookups


def batch(service, *entries):
    kind = {"Content_Type": "application/x-ndjson", "Accept": "text/plain"}
    lines = b"".join(b"%b\n" % entry for entry in entries)
    assert service.post("/v1/records:batch", lines, **kind).status == 200


@pytest.mark.parametrize("index", [0, 299])
def test_an_entry_is_found_by_its_digest(service, index):
    digest = sha256(LOGGED[index]).hexdigest()
    got = service.get(f"/v1/lookup/digest/{digest}")
    assert got.json["indexes"] == [index]
    assert got.json["covered"] == 300
    assert got.json["more"] is False


def test_a_record_is_found_by_its_id_as_soon_as_it_is_logged(records):
    id_ = "01a0c54a-5ad0-7aa2-bf0c-000000000099"
    assert records.get(f"/v1/lookup/record/{id_}").status == 404
    index = records.submit(RECORD % 99).json["index"]
    assert records.get(f"/v1/lookup/record/{id_}").json["indexes"] == [index]


@pytest.mark.parametrize("index", ["true", "false"])
def test_what_was_logged_often_is_found_a_hundred_times_and_then_on(new_service, index):
    service = new_service(settings=f"index = {index}\n")
    digest = sha256(b"file").hexdigest()
    # Before the file somebody logs its digest, to push it out of sight.
    batch(service, b"once", *[b"sha256:%b" % digest.encode()] * 100, b"file")
    live, asked = service.live, f"/v1/lookup/digest/{digest}"
    lookup = Lookup(live.folder / "index", live.charter.genesis)
    service.until(lambda: index == "false" or lookup.covered == 102)
    got = service.get(asked).json
    assert got == {"indexes": [*range(1, 101)], "covered": 101, "more": True}
    got = service.get(f"{asked}/{got['covered']}").json
    assert got == {"indexes": [101], "covered": 102, "more": False}
    assert service.get(f"{asked}/102").status == 404
    assert service.get(f"{asked}/99").json["indexes"] == [99, 100, 101]


def test_a_log_without_an_index_is_looked_through_step_by_step(new_service):
    service = new_service(settings="index = false\n")
    batch(service, *[b"other"] * 1100, b"file")
    asked = f"/v1/lookup/digest/{sha256(b'file').hexdigest()}"
    got = service.get(asked)
    assert (got.status, got.json["covered"], got.json["size"]) == (404, 1024, 1101)
    got = service.get(f"{asked}/1024").json
    assert got == {"indexes": [1100], "covered": 1101, "more": False}


def test_others_are_answered_while_a_lookup_reads():
    answered = threading.Event()

    class Slow:
        def entries(self, start, stop):
            assert answered.wait(5), "nobody is"
            return [b"file"]

    writer = SimpleNamespace(head=SimpleNamespace(size=1))
    site = SimpleNamespace(writer=writer, charter=SimpleNamespace(kind="opaque"))
    path = {"sha256": sha256(b"file").hexdigest()}
    asked: Any = SimpleNamespace(site=site, path=path)

    async def ask():
        reading: Any = Slow()
        lookups = Lookups(reading, None)
        looked_up = asyncio.create_task(lookups.digest(asked))
        await asyncio.sleep(0)
        answered.set()
        return await looked_up

    assert asyncio.run(ask()).status == 200


def test_the_records_of_an_id_are_looked_up_from_an_entry_on(records):
    index = records.submit(RECORD % 98).json["index"]
    asked = "/v1/lookup/record/01a0c54a-5ad0-7aa2-bf0c-000000000098"
    assert records.get(f"{asked}/{index}").json["indexes"] == [index]
    assert records.get(f"{asked}/{index + 1}").status == 404


def test_all_that_a_record_mentions_is_found(records):
    digests = [sha256(b"%d" % number).hexdigest() for number in range(300)]
    id_ = "01a0c54a-5ad0-7aa2-bf0c-000000000097"
    inputs = [{"digest": f"sha256:{each}"} for each in digests]
    body = json.dumps({**SMALLEST, "id": id_, "inputs": inputs}).encode()
    index = records.submit(body, Content_Type=JSON).json["index"]
    for digest in (digests[0], digests[150], digests[-1]):
        assert records.get(f"/v1/lookup/digest/{digest}").json["indexes"] == [index]


@pytest.mark.exhaustive
def test_without_an_index_what_is_new_is_found_still(new_service):
    service = new_service(settings="index = false\n")
    service.submit(b"entry")
    digest = sha256(b"entry").hexdigest()
    assert service.get(f"/v1/lookup/digest/{digest}").json["indexes"] == [0]
