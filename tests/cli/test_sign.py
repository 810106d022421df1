"""provlog sign makes a statement that others verify, and leaves what is there alone."""

import json
import os
from base64 import b64decode
from hashlib import sha256

import pytest

from ledger.keys.producerkey import ProducerKey
from tests.authority import NOW, issue, p256_key
from tests.cli.operating import provlog, record_text, said, shell
from tests.keys.agents import add, new_key, ssh_agent
from tests.keys.makers import MAKERS, SECRETS, pem
from tests.statements import IN_TOTO, envelope, in_toto
from verifier.certificate import Certificate, verify_chain
from verifier.pem import key_id, key_text
from verifier.record import encode_record, parse_record_json
from verifier.statement import Statement

KEYS = [each.public for each in MAKERS.values()]
NAMES = ["ed25519", "ecdsa-p256", "ml-dsa-44"]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a file to sign, and a key of each kind: its name is its number."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "run.json").write_bytes(b'{"steps": 7}\n')
    for number, key in enumerate(SECRETS.values()):
        (tmp_path / f"key{number}").write_text(pem(key))
        (tmp_path / f"key{number}").chmod(0o600)
    return tmp_path


def signed(*words, key="key0", file="run.json"):
    """What is made of a file, as a program gets it and a verifier reads it."""
    out = said("sign", file, "--key", key, "--out", "-", *words)
    return Statement.parse(b64decode(out["statement"]))


# Who signs


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("form", ["COSE_Sign1", "DSSE"])
def test_each_kind_of_key_signs_either_form(desk, number, form):
    more = ["--dsse"] if form == "DSSE" else []
    made = said("sign", "run.json", "--key", f"key{number}", *more)
    data = (desk / made["file"]).read_bytes()
    assert made == {
        "form": form,
        "key": key_id(KEYS[number]),
        "algorithm": NAMES[number],
        "type": "application/json",
        "bytes": len(data),
        "signatures": 1,
        "file": "run.json.dsse.json" if more else "run.json.cose",
    }
    read = Statement.parse(data)
    assert read.payload == b'{"steps": 7}\n'
    assert read.signers(KEYS) == [KEYS[number]]


def test_a_key_in_an_agent_signs_without_being_seen(desk, monkeypatch):
    with ssh_agent() as where:
        monkeypatch.setenv("SSH_AUTH_SOCK", where)
        paths = [
            new_key(desk / name, "-t", "ed25519", comment=name) for name in ("a", "b")
        ]
        add(where, paths[0])
        assert said("sign", "run.json", "--agent")["algorithm"] == "ed25519"
        add(where, paths[1])
        given = provlog("sign", "run.json", "--agent", "--out", "other")
        assert given.exit_code == 2
        assert "error: several keys in the agent may be meant" in given.stderr
        for which in ("b", "b.pub"):
            out = f"by {which}"
            made = said("sign", "run.json", "--agent-key", which, "--out", out)
            key = ProducerKey.parse(paths[1].read_text()).public
            assert made["key"] == key_id(key)
            assert Statement.parse((desk / out).read_bytes()).signers([key]) == [key]


def test_without_an_agent_nothing_is_signed(desk):
    given = provlog("sign", "run.json", "--agent")
    assert given.exit_code == 2
    assert "SSH_AUTH_SOCK is not set" in given.stderr
    assert not (desk / "run.json.cose").exists()


def test_an_encrypted_key_is_not_asked_for_its_secret(desk):
    (desk / "key").write_text(pem(SECRETS["P-256"], secret=b"a passphrase"))
    (desk / "key").chmod(0o600)
    given = provlog("sign", "run.json", "--key", "key")
    assert given.exit_code == 2
    assert "error: key_unfit: key is encrypted" in given.stderr
    assert "mend: ssh-add key" in given.stderr


def test_a_key_that_others_can_read_does_not_sign(desk):
    (desk / "key0").chmod(0o644)
    given = provlog("sign", "run.json", "--key", "key0")
    assert given.exit_code == 2
    assert "error: key_exposed: key0 has mode 0644" in given.stderr
    assert "mend: chmod 600 key0" in given.stderr


# What is said


def test_the_claims_are_those_that_were_given(desk):
    read = signed("--issuer", "https://ci.example", "--subject", "run/7")
    assert read.claims.issuer == "https://ci.example"
    assert read.claims.subject == "run/7"


RECORD = record_text(1)
TYPES = {
    "run.json": (b"{}", "application/json"),
    "model.bin": (b"\0", "application/octet-stream"),
    "notes.txt": (b"a", "text/plain"),
    "data.csv.gz": (b"a", "application/octet-stream"),
    "weights": (b"a", "application/octet-stream"),
    "a.json": (RECORD, "application/vnd.provlog.record+json"),
    "b.bin": (
        encode_record(parse_record_json(RECORD)),
        "application/vnd.provlog.record+cbor",
    ),
}


@pytest.mark.parametrize("name", TYPES)
def test_the_type_of_a_file_is_that_of_a_record_or_of_its_name(desk, name):
    data, type_ = TYPES[name]
    (desk / name).write_bytes(data)
    for form in ([], ["--dsse"]):
        assert signed(*form, file=name).payload_type == type_
        read = signed(*form, "--content-type", "text/x", file=name)
        assert read.payload_type == "text/x"


@pytest.mark.parametrize(("number", "legacy"), [(0, -8), (1, -7)])
def test_old_readers_get_the_algorithm_that_they_know(desk, number, legacy):
    read = signed("--legacy-algorithm", key=f"key{number}")
    assert read.message.headers[1] == legacy
    assert read.signers(KEYS) == [KEYS[number]]


def test_ml_dsa_44_has_no_older_name(desk):
    given = provlog("sign", "run.json", "--key", "key2", "--legacy-algorithm")
    assert given.exit_code == 2
    assert "--legacy-algorithm: ml-dsa-44 has no other name" in given.stderr


def test_a_chain_stands_in_the_statement(desk):
    root = issue("CN=root", p256_key(9), authority=True)
    leaf = issue("CN=build", SECRETS["Ed25519"], root)
    (desk / "chain.pem").write_text(leaf.pem + root.pem)
    read = signed("--chain", "chain.pem")
    anchors = [Certificate.parse(root.der)]
    assert verify_chain(read.chain, anchors, at=NOW).key == KEYS[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "refused: chain.pem: no public key in it"),
        (key_text(KEYS[0]), "refused: chain.pem has a key in it"),
        (issue("CN=a", p256_key()).pem, "not that of the key that signs"),
    ],
    ids=["empty", "a key", "another's"],
)
def test_a_chain_that_is_not_the_keys_is_refused(desk, text, words):
    (desk / "chain.pem").write_text(text)
    given = provlog("sign", "run.json", "--key", "key0", "--chain", "chain.pem")
    assert given.exit_code == 1
    assert words in given.stderr
    assert not (desk / "run.json.cose").exists()


# A digest, and a statement about a file


def test_what_is_large_is_signed_by_its_digest(desk):
    (desk / "weights.bin").write_bytes(b"w" * 1_000_000)
    digest = f"sha256:{sha256(b'w' * 1_000_000).hexdigest()}"
    where = ["--location", "https://models.example/7"]
    read = signed("--digest", *where, file="weights.bin")
    assert digest in read.digests()
    assert read.claims.location == "https://models.example/7"
    assert read.payload_type == "application/octet-stream"
    (desk / "predicate").write_text('{"loss": 0.10}')
    about = ["--predicate-type", "https://ci.example/v1", "--predicate", "predicate"]
    read = signed("--dsse", *about, file="weights.bin")
    assert digest in read.digests()
    assert b'"predicate":{"loss": 0.10}' in read.payload


def test_a_file_whose_name_is_no_text_can_be_a_subject(desk):
    name = os.fsdecode(b"w\xff.bin")
    (desk / name).write_bytes(b"weights")
    (desk / "predicate").write_text("{}")
    about = ["--predicate-type", "https://ci.example/v1", "--predicate", "predicate"]
    read = signed("--dsse", *about, file=name)
    (subject,) = read.in_toto().subjects
    assert subject.name == r"w\udcff.bin"


def test_a_predicate_that_is_too_large_or_no_object_is_refused(desk):
    about = ["--predicate-type", "https://ci.example/v1", "--predicate", "predicate"]
    for text, words in (("[]", "is not a JSON object"), (" " * 70_000, "less in it")):
        (desk / "predicate").write_text(text)
        given = provlog("sign", "run.json", "--key", "key0", "--dsse", *about)
        assert given.exit_code == 1
        assert words in given.stderr


# Where it goes


@pytest.mark.parametrize("form", [[], ["--dsse"]])
def test_a_program_gets_the_bytes_of_the_statement_and_nothing_else(desk, form):
    given = shell(f"PROVLOG sign run.json --key key0 {' '.join(form)} --out - >a", desk)
    assert given.returncode == 0, given.stderr
    read = Statement.parse((desk / "a").read_bytes())
    assert read.signers(KEYS) == [KEYS[0]]
    assert sorted(each.name for each in desk.iterdir()) == [
        *("a", "key0", "key1", "key2", "run.json")
    ]


def test_a_statement_may_be_made_from_a_pipe(desk):
    line = "echo hello | PROVLOG sign /dev/stdin --key key1 --out a --json"
    given = shell(line, desk)
    assert json.loads(given.stdout)["file"] == "a"
    assert Statement.parse((desk / "a").read_bytes()).payload == b"hello\n"


def test_no_statement_is_written_over(desk):
    for name in ("run.json.cose", "run.json.dsse.json", "other"):
        (desk / name).write_bytes(b"logged")
    for more in ([], ["--dsse"], ["--out", "other"]):
        given = provlog("sign", "run.json", "--key", "key0", *more)
        assert given.exit_code == 2
        assert "File exists, and may be logged; name" in given.stderr
        assert "--out" in given.stderr
    assert (desk / "other").read_bytes() == b"logged"


def test_signatures_are_added_in_place_or_to_another_file(desk):
    said("sign", "run.json", "--dsse", "--key", "key0")
    name = "run.json.dsse.json"
    first = (desk / name).read_bytes()
    assert said("sign", name, "--add", "--key", "key1", "--out", "b")["signatures"] == 2
    assert (desk / name).read_bytes() == first
    made = said("sign", "b", "--add", "--key", "key2", "--out", "b")
    assert (made["signatures"], made["file"]) == (3, "b")
    assert Statement.parse((desk / "b").read_bytes()).signers(KEYS) == KEYS
    given = provlog("sign", "b", "--add", "--key", "key0", "--out", name)
    assert given.exit_code == 2
    assert (desk / name).read_bytes() == first


def test_what_is_no_envelope_is_left_as_it_is(desk):
    given = provlog("sign", "run.json", "--add", "--key", "key0")
    assert given.exit_code == 1
    assert "refused: run.json: it is no DSSE envelope" in given.stderr
    assert (desk / "run.json").read_bytes() == b'{"steps": 7}\n'
    said("sign", "run.json", "--key", "key0")
    given = provlog("sign", "run.json.cose", "--add", "--key", "key1")
    assert given.exit_code == 1
    assert "run.json.cose: it is a COSE_Sign1, which has one signature" in given.stderr


def test_a_folder_is_said_to_be_signed_by_its_files_or_a_manifest(desk):
    for more in ([], ["--digest"], ["--add"]):
        given = provlog("sign", desk, "--key", "key0", *more)
        assert given.exit_code == 2
        assert f"{desk} is a directory: sign the files" in given.stderr
        assert "manifest" in given.stderr


# What no log takes


def test_a_predicate_that_every_log_refuses_is_refused_in_the_same_words(desk, new_log):
    slsa = "https://slsa.dev/provenance/v1"
    (desk / "predicate").write_text('{"loss": 0.10}')
    about = ["--predicate-type", slsa, "--predicate", "predicate"]
    given = provlog("sign", "run.json", "--key", "key0", "--dsse", *about)
    assert given.exit_code == 1
    assert not (desk / "run.json.dsse.json").exists()
    (desk / "by-others").write_bytes(
        envelope(in_toto(predicate_type=slsa, predicate={"loss": 0.1}), type_=IN_TOTO)
    )
    logged = provlog("append", new_log(kind="record").folder, "by-others")
    words = logged.stderr.partition("refused: form: ")[2]
    assert words
    assert given.stderr == f"provlog: error: {words}"
    before = (desk / "by-others").read_bytes()
    again = provlog("sign", "by-others", "--add", "--key", "key0")
    assert again.exit_code == 1
    assert words in again.stderr
    assert (desk / "by-others").read_bytes() == before


@pytest.mark.parametrize(
    "type_", ["nonsense", "a/", "/b", "a/b/c", "a b/c", "a/b;", ""]
)
def test_a_content_type_is_type_and_subtype(desk, type_):
    given = provlog("sign", "run.json", "--key", "key0", "--content-type", type_)
    assert given.exit_code == 2
    assert "is no type/subtype, such as application/json" in given.stderr
    assert not (desk / "run.json.cose").exists()


@pytest.mark.parametrize(
    "type_", ["text/plain; charset=utf-8", 'application/cose; cose-type="cose-sign1"']
)
def test_it_may_have_parameters(desk, type_):
    assert signed("--content-type", type_).payload_type == type_


@pytest.mark.parametrize("type_", ["foo", "a b:c", "https:", "7:x", ""])
def test_the_type_of_a_predicate_is_a_uri(desk, type_):
    (desk / "predicate").write_text("{}")
    about = ["--predicate-type", type_, "--predicate", "predicate"]
    given = provlog("sign", "run.json", "--key", "key0", "--dsse", *about)
    assert given.exit_code == 2
    assert "is no URI, such as https://ci.example/training/v1" in given.stderr


# A key that cannot sign


def test_the_public_half_of_a_key_is_said_to_be_that(desk):
    (desk / "a.pub").write_text(key_text(KEYS[0]))
    given = provlog("sign", "run.json", "--key", "a.pub")
    assert given.exit_code == 2
    assert "key_unfit: a.pub is the public half of a key" in given.stderr
    assert "--key takes the private one" in given.stderr
    assert "chmod" not in given.stderr


def test_rsa_is_said_to_sign_no_statements(desk):
    new_key(desk / "id_rsa", "-t", "rsa")
    given = provlog("sign", "run.json", "--key", "id_rsa")
    assert given.exit_code == 2
    assert "key_unfit: id_rsa has a key of a kind that signs no" in given.stderr
    assert "RSA; accepted are Ed25519, P-256 and ML-DSA-44" in given.stderr
