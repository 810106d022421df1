"""What producers have signed is logged beside records, listed, found, and given out.

Every log here is audited when its test is over; every form that is given out is held
against the log's policy, as its reader does it.
"""

import json
import os
from base64 import b64decode
from hashlib import sha256

import pytest

from cli.finding import hit_of
from cli.inputs import MAX_STATEMENT_BYTES
from tests.cli.operating import done, entries_of, provlog, record_text, said
from tests.livelog import other_key_only
from tests.recordlog import RecordLog, record_id, wrapped
from tests.statements import CI, IN_TOTO, OTHER, added, envelope, in_toto, sign1
from tests.testlog import LOG, WITNESSES, b64, policy_text
from verifier.cose import Sign1
from verifier.entry import Entry
from verifier.keys import VerifierKey
from verifier.own import MEDIA_TYPE as OWN
from verifier.pem import key_text
from verifier.receipt.line import line_id
from verifier.statement import COSE
from verifier.statement.envelope import MEDIA_TYPE as DSSE

CONTENT = b"the weights of a model"
DIGEST = sha256(CONTENT).digest()
SLSA = "https://slsa.dev/provenance/v1"
PROVENANCE = in_toto(
    DIGEST.hex(),
    SLSA,
    predicate={
        "buildDefinition": {"buildType": "t", "externalParameters": {"a": 1}},
        "runDetails": {"builder": {"id": "b"}},
    },
)
HASHED = sign1(DIGEST, headers={258: -16, 259: "text/plain", 3: None})
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def bundle():
    """A Sigstore bundle, in lines, as many tools write it."""
    document = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": "ci"}},
        "dsseEnvelope": json.loads(envelope(b"in a bundle")),
    }
    return b"\n" + json.dumps(document, indent=1).encode() + b"\n"


@pytest.fixture
def known(new_log):
    """Makes logs that know one producer: his entry is the first after its own."""

    def make(kind="record", **options):
        log = new_log(kind=kind, **options)
        with log.open() as opened:
            opened.register(added())
        return log

    return make


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Files that are signed and files that are not, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name, data in {
        "weights": CONTENT,
        "run.json": record_text(1),
        "signed": sign1(),
        "hinted": sign1(unprotected={4: b"hint"}),
        "hashed": HASHED,
        "envelope.json": envelope(),
        "provenance.json": envelope(PROVENANCE, type_=IN_TOTO),
        "bundle.json": bundle(),
        "stranger": sign1(maker=OTHER),
        "spoiled.json": b'{"payload": "", "signatures": []}',
        "record.json": record_text(3, payload="p", signatures=[], mediaType=BUNDLE),
        "large": sign1(unprotected={4: bytes(MAX_STATEMENT_BYTES - 400)}),
        "larger": sign1(unprotected={4: bytes(MAX_STATEMENT_BYTES)}),
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


# What is logged


def test_records_and_statements_are_logged_in_their_order(known, desk):
    log = known()
    names = ["signed", "run.json", "envelope.json", "bundle.json"]
    given = done("append", log.folder, *names)
    assert given == "3  signed\n4  run.json\n5  envelope.json\n6  bundle.json\n"
    types = [Entry.parse(each).type for each in entries_of(log.folder)[3:]]
    assert types == [COSE, "application/vnd.provlog.record+cbor", DSSE, BUNDLE]
    again = done("append", log.folder, *names)
    assert again.count("already logged") == 4


def test_a_statement_is_known_by_what_is_signed_of_it(known, desk):
    log = known()
    given = done("append", log.folder, "signed", "hinted", "large")
    assert given == ("3  signed\n3  hinted  already logged\n3  large  already logged\n")


def test_what_a_file_is_it_says_itself_and_not_its_name(known, desk):
    log = known()
    (desk / "any.txt").write_bytes(envelope())
    assert done("append", log.folder, "any.txt", "record.json").startswith("3  any.txt")
    entry = Entry.parse(entries_of(log.folder)[4])
    assert record_id(3).encode() in entry.body


def test_a_statement_that_may_not_enter_is_refused_by_name(known, desk):
    log = known()
    given = provlog(
        "append", log.folder, "stranger", "spoiled.json", "larger", "signed"
    )
    assert given.exit_code == 1
    assert given.stdout == "3  signed\n"
    assert "stranger: refused: producer: none of the producers" in given.stderr
    assert "spoiled.json: refused: form: " in given.stderr
    assert f"larger: refused: size: more than {MAX_STATEMENT_BYTES}" in given.stderr


def test_in_a_statement_log_everything_is_a_statement(known, desk):
    log = known("statement")
    given = provlog("append", log.folder, "signed", "run.json", "envelope.json")
    assert (given.exit_code, given.stdout) == (1, "1  signed\n")
    assert "run.json: refused: form" in given.stderr
    assert "envelope.json: refused: form: a statement log takes" in given.stderr


def test_what_is_none_is_refused_there_with_how_to_make_one(known, desk):
    log = known("statement")
    (desk / "silent").write_bytes(sign1(issuer=None, subject=None))
    given = provlog("append", log.folder, "weights", "run.json", "silent")
    weights, run, silent = given.stderr.splitlines()
    for line in (weights, run):
        assert "refused: form: it is no COSE_Sign1" in line
        assert "JSON" not in line
    assert "names no issuer and subject" in silent
    for line in (weights, run, silent):
        assert line.endswith("provlog sign FILE --issuer NAME --subject NAME")


@pytest.mark.parametrize("kind", ["record", "statement"])
def test_a_statement_that_is_nobodys_is_refused_with_what_registers_a_key(
    known, desk, kind
):
    log = known(kind)
    given = provlog("append", log.folder, "stranger")
    assert f"provlog producer add {log.folder} NAME KEYFILE" in given.stderr
    (line,) = done_or_not("append", log.folder, "stranger", "--json")
    assert f"provlog producer add {log.folder} NAME KEYFILE" in line["says"]


def done_or_not(*words):
    return [json.loads(line) for line in provlog(*words).stdout.splitlines()]


def test_in_a_log_of_bytes_nothing_is_one(new_log, desk):
    log = new_log()
    done("append", log.folder, "stranger", "spoiled.json")
    assert entries_of(log.folder)[0] == sign1(maker=OTHER)


# What is listed


def test_a_list_says_of_a_statement_who_issued_it_about_what(known, desk):
    log = known()
    done("append", log.folder, "signed", "provenance.json", "bundle.json")
    own, cose, dsse, bundled = done("list", log.folder, "--last", "4").splitlines()
    by = log.charter.operator
    assert own.endswith("Z  log  producer.add")
    assert cose.endswith(f"{by}  cose  https://ci.example  a subject  text/plain")
    assert dsse.endswith(f"{by}  dsse  -  -  slsa-provenance")
    assert bundled.endswith(f"{by}  sigstore  -  -  text/plain")


def test_for_programs_it_has_the_same_names_for_each_form(known, desk):
    log = known()
    (desk / "other.json").write_bytes(envelope(in_toto(), type_=IN_TOTO))
    done("append", log.folder, "signed", "provenance.json", "other.json")
    lines = done("list", log.folder, "--last", "3", "--json").splitlines()
    cose, dsse, other = map(json.loads, lines)
    assert {
        name: cose[name] for name in ("form", "issuer", "subject", "payload_type")
    } == {
        "form": "cose",
        "issuer": "https://ci.example",
        "subject": "a subject",
        "payload_type": "text/plain",
    }
    assert "predicate" not in cose
    assert (dsse["form"], dsse["issuer"], dsse["subject"]) == ("dsse", None, None)
    assert (dsse["predicate"], dsse["predicate_type"]) == ("slsa-provenance", SLSA)
    assert other["predicate"] == other["predicate_type"]


def test_a_statement_log_lists_them_with_nobody_around(known, desk):
    log = known("statement")
    done("append", log.folder, "signed")
    own, signed = done("list", log.folder).splitlines()
    assert own == f"0  cose  {log.charter.origin}  producer.add  {OWN}"
    assert signed == "1  cose  https://ci.example  a subject  text/plain"
    own, signed = map(json.loads, done("list", log.folder, "--json").splitlines())
    assert (own["kind"], "kind" in signed, "by" in own) == (
        "producer.add",
        False,
        False,
    )


def test_so_does_an_exported_one_whose_kind_nobody_says(known, desk):
    log = known("statement")
    done("append", log.folder, "signed")
    done("export", log.folder, "public")
    assert done("list", "public") == done("list", log.folder)


def test_what_only_looks_like_one_is_listed_as_bytes(new_log, desk):
    log = new_log()
    (desk / "cut").write_bytes(sign1()[:-1])
    done("append", log.folder, "hinted", "cut")
    done("export", log.folder, "public")
    for place in (log.folder, "public"):
        listed = done("list", place).splitlines()
        assert all(
            f"{len(data)} bytes" in line
            for data, line in zip(
                (sign1(unprotected={4: b"hint"}), sign1()[:-1]), listed, strict=True
            )
        )


# What is found

ABOUT = {
    "payload": (sign1(CONTENT), "a statement whose payload it is"),
    "digest": (HASHED, "a statement that signs its digest, as text/plain"),
    "subject": (
        sign1(PROVENANCE, headers={3: IN_TOTO}),
        f"a statement about it ({SLSA})",
    ),
}


@pytest.mark.parametrize("name", ABOUT)
def test_it_is_said_what_a_statement_has_of_a_file(name):
    data, says = ABOUT[name]
    for entry, kind in (
        (data, "statement"),
        (data, "auto"),
        (wrapped(data, type=COSE), "record"),
        (wrapped(data, type=COSE), "auto"),
    ):
        hit = hit_of(7, entry, kind, DIGEST)
        assert (hit.what, hit.says) == ("statement", says)
        assert hit_of(7, entry, kind, sha256(b"other").digest()) is None


@pytest.mark.parametrize("kind", ["record", "statement"])
def test_a_file_is_found_by_what_was_signed_about_it(known, desk, kind):
    log = known(kind)
    done("append", log.folder, "signed", "hashed")
    done("export", log.folder, "public")
    index = len(entries_of(log.folder)) - 1
    for place in (log.folder, "public"):
        words = ("check", place, "weights", "--policy", log.folder / "policy.txt")
        (hit,) = said(*words)["entries"]
        assert (hit["index"], hit["what"]) == (index, "statement")


def test_a_statement_is_found_as_what_is_logged_of_it(known, desk):
    log = known()
    done("append", log.folder, "signed")
    for name in ("signed", "hinted", "large"):
        assert done("check", log.folder, name) == "entry 3  it is the file\n"
    for name in ("larger", "stranger"):
        assert provlog("check", log.folder, name).exit_code == 1


# What is given out

FORMS = ("bundle", "tlog-proof", "receipt", "transparent")
ALONE = ("bundle", "transparent")
"""Those that have the entry in them."""


@pytest.fixture(params=["folder", "exported", "service"])
def place(request, known, desk, monkeypatch):
    """Makes a log with these files in it, and says where it is read."""

    def make(kind, *names):
        log = known(kind)
        done("append", log.folder, *names)
        monkeypatch.setenv("PROVLOG_POLICY", str(log.folder / "policy.txt"))
        if request.param == "folder":
            return log.folder
        if request.param == "service":
            return request.getfixturevalue("new_service")(log).url
        done("export", log.folder, "public")
        return "public"

    return make


def verified(where, index, form, entry):
    """What an auditor says of what `get` writes, who has the entry and a key."""
    words = ("--form", form, "--out", "given", "--within", 20)
    done("get", where, index, *words)
    more = () if form in ALONE else ("--entry", entry)
    return done(
        "verify",
        "--policy",
        os.environ["PROVLOG_POLICY"],
        "--producer",
        "ci.pub",
        "given",
        *more,
    )


@pytest.mark.parametrize("kind", ["record", "statement"])
def test_each_form_is_what_its_reader_accepts(place, desk, kind):
    where = place(kind, "signed")
    entries = entries_of(desk / "log")
    (desk / "entry").write_bytes(entries[-1])
    (desk / "ci.pub").write_text(key_text(CI.public))
    for form in FORMS:
        shown = verified(where, len(entries) - 1, form, "entry")
        assert "inclusion   holds" in shown
        assert "producer    holds" in shown


def test_a_program_gets_the_same_in_one_member(place, desk):
    where = place("record", "signed")
    got = {x: said("get", where, 3, "--form", x, "--within", 20) for x in FORMS}
    assert {form: each["form"] for form, each in got.items()} == {x: x for x in got}
    assert got["bundle"]["bundle"]["schema"] == "provlog/bundle/1"
    assert got["tlog-proof"]["tlog_proof"].startswith("c2sp.org/tlog-proof@v1\n")
    assert Sign1.parse(b64decode(got["receipt"]["receipt"])).headers[395] == 1
    made = Sign1.parse(b64decode(got["transparent"]["transparent"]))
    assert made.bare() == sign1()


@pytest.mark.parametrize("form", FORMS)
def test_a_dash_is_standard_output_and_no_file(known, desk, form):
    log = known()
    done("append", log.folder, "signed")
    words = ("get", log.folder, 3, "--form", form)
    done(*words, "--out", "given")
    # Each is signed anew, and so not the same to the last byte.
    begin = (desk / "given").read_bytes()[:32]
    for more in (["--out", "-"], []):
        assert provlog(*words, *more).stdout_bytes.startswith(begin)
    assert not (desk / "-").exists()
    assert "file" not in said(*words, "--out", "-")


@pytest.mark.parametrize("name", ["run.json", "envelope.json"])
def test_what_is_no_cose_sign1_has_a_receipt_and_carries_none(place, desk, name):
    where = place("record", name)
    words = ("get", where, 3, "--within", 20, "--form")
    refused = provlog(*words, "transparent", "--out", "given")
    assert refused.exit_code == 1
    assert "entry 3 is no COSE_Sign1" in refused.stderr
    assert not (desk / "given").exists()
    assert said(*words, "receipt")["receipt"]


def test_an_entry_of_a_log_of_bytes_has_a_receipt_of_cose_too(new_log, desk):
    log = new_log()
    done("append", log.folder, "weights", "signed")
    policy = ("--policy", log.folder / "policy.txt")
    for index, name in enumerate(("weights", "signed")):
        done("get", log.folder, index, "--form", "receipt", "--out", "given")
        assert "inclusion   holds" in done("verify", *policy, "given", "--entry", name)
    refused = provlog("get", log.folder, 1, "--form", "transparent")
    assert refused.exit_code == 0, "what looks like a statement is one for SCITT"
    assert provlog("get", log.folder, 0, "--form", "transparent").exit_code == 1


def test_what_only_looks_wrapped_has_a_receipt_as_it_is(new_log, desk):
    log = new_log()
    (desk / "cut").write_bytes(wrapped(sign1(), type=COSE)[:-1])
    done("append", log.folder, "cut")
    done("export", log.folder, "public")
    policy = ("--policy", log.folder / "policy.txt")
    done("get", "public", 0, "--form", "receipt", "--out", "given", *policy)
    words = ("--entries", "opaque", "given", "--entry", "cut")
    assert "inclusion   holds" in done("verify", *policy, *words)


def test_so_has_what_is_wrapped_where_the_log_has_signed_that_it_wraps_nothing(
    new_log, desk
):
    log = new_log()
    (desk / "whole").write_bytes(wrapped(sign1(), type=COSE))
    done("append", log.folder, "whole")
    done("export", log.folder, "public")
    policy = ("--policy", log.folder / "policy.txt")
    done("get", "public", 0, "--form", "receipt", "--out", "given", *policy)
    assert "inclusion   holds" in done("verify", *policy, "given", "--entry", "whole")


def test_whose_word_a_line_is_has_to_be_believed(known, desk):
    log = known()
    done("append", log.folder, "signed")
    done("export", log.folder, "public")
    (desk / "policy").write_bytes(other_key_only(log))
    refused = provlog(
        "get", "public", 3, "--policy", "policy", "--form", "receipt", "--out", "x"
    )
    assert refused.exit_code == 1
    assert "signed by an Ed25519 key of the log, and none is believed" in refused.stderr


def test_a_checkpoint_without_its_line_is_said_to_have_none(desk):
    other = RecordLog(desk / "other")
    other.append(wrapped(sign1(), type=COSE))
    (desk / "policy").write_bytes(policy_text(witnesses=(), quorum=0))
    words = ("get", "other", 0, "--policy", "policy", "--form")
    for form in ("receipt", "transparent"):
        refused = provlog(*words, form)
        assert refused.exit_code == 1
        assert "has no line for COSE receipts" in refused.stderr
    assert provlog(*words, "tlog-proof").exit_code == 0


def test_a_line_that_does_not_hold_is_given_to_nobody(desk):
    other = RecordLog(desk / "other")
    other.append(wrapped(sign1(), type=COSE))
    key = VerifierKey.parse(LOG.vkey).public_key
    blob = line_id(LOG.name, key, -19, "record") + bytes(64)
    with open(desk / "other" / "checkpoint", "a", encoding="utf-8") as file:
        file.write(f"\u2014 {LOG.name} {b64(blob)}\n")
    words = ("get", "other", 0, "--form", "receipt", "--out", "given")
    (desk / "policy").write_bytes(policy_text(witnesses=(), quorum=0))
    given = provlog(*words, "--policy", "policy")
    assert given.exit_code == 1
    assert "signature does not verify" in given.stderr
    assert not (desk / "given").exists()


def test_cosignatures_are_not_said_to_be_where_they_cannot_be(known, desk):
    log = known()
    done("append", log.folder, "signed")
    (desk / "policy").write_bytes(with_witness(log))
    words = ("get", log.folder, 3, "--policy", "policy", "--form", "receipt")
    given = provlog(*words, "--out", "given")
    assert given.exit_code == 0
    assert "a COSE receipt has no cosignatures" in given.stderr
    given = provlog(*words, "--witnessed")
    assert (given.exit_code, given.stdout) == (2, "")
    assert "--witnessed is for a bundle or a tlog-proof" in given.stderr


def with_witness(log):
    """The log's policy, with a witness who has never seen it."""
    lines = (log.folder / "policy.txt").read_text().splitlines()
    logs = [line for line in lines if line.startswith("log ")]
    named = f"witness w1 {WITNESSES[0].vkey}"
    return "\n".join([*logs, named, "quorum w1", ""]).encode()
