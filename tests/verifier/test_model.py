"""A model signature lists the files of one model, and is found by their digest."""

import json
from base64 import b64decode
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from tests.models import MODEL, RESOURCES, files, root
from verifier.errors import MalformedError
from verifier.statement.intoto import InTotoStatement
from verifier.statement.predicates import Summary, summarise


def document() -> dict[str, Any]:
    """A true signature of a model, for a test to spoil."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": root(RESOURCES)}}],
        "predicateType": MODEL,
        "predicate": {
            "resources": files("a/config.json", "a/weights.bin", "a:b", "ä"),
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [".git"],
            },
        },
    }


def summary(whole: object) -> Summary:
    return summarise(InTotoStatement.parse(json.dumps(whole).encode()))


def spoil(number: int, name: str, to: object) -> Summary:
    """What is said of the true model, with a member of one file changed."""
    whole = document()
    whole["predicate"]["resources"][number][name] = to
    return summary(whole)


def model(resources: list[dict[str, str]], **serialization: object) -> Summary:
    """What is said of a model with these resources, and the digest that they have."""
    whole = document()
    whole["subject"][0]["digest"]["sha256"] = root(resources)
    whole["predicate"]["resources"] = resources
    whole["predicate"]["serialization"] |= serialization
    return summary(whole)


def shards(*names: str) -> Summary:
    return model(files(*names), method="shards", shard_size=10)


def test_the_models_that_strangers_signed_have_the_digest_of_their_list():
    folder = foreign.folder("model-signing") / "v1.0" / "valid"
    for path in sorted(folder.glob("*.json")):
        envelope = json.loads(path.read_text())["dsseEnvelope"]
        found = summarise(InTotoStatement.parse(b64decode(envelope["payload"])))
        assert (found.kind, found.values["resources"]) == ("model-signing", 2)
        assert found.values["root_agrees"] is True


def test_a_strangers_predicate_of_another_type_is_none_of_ours():
    path = foreign.folder("model-signing") / "v1.0/invalid-payload"
    envelope = json.loads((path / "wrong-predicate.bundle.json").read_text())
    payload = b64decode(envelope["dsseEnvelope"]["payload"])
    assert summarise(InTotoStatement.parse(payload)).kind == "other"


def test_a_model_says_how_many_files_it_has():
    assert summary(document()) == Summary(
        kind="model-signing",
        says="signature of model model: 4 files by sha256; its digest is that of "
        "their list",
        values={
            "predicate_type": MODEL,
            "model": "model",
            "method": "files",
            "hash_type": "sha256",
            "resources": 4,
            "allow_symlinks": False,
            "root_agrees": True,
        },
    )


def test_a_subject_that_belongs_to_another_list_is_told():
    whole = document()
    whole["predicate"]["resources"].pop()
    found = summary(whole)
    assert found.values["root_agrees"] is False
    assert found.says.endswith("its digest is NOT that of their list")


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [("blake2b", blake2b(b"x").hexdigest()), ("blake3", "ab" * 32)],
)
def test_the_digest_of_the_list_is_sha256_whatever_hashes_the_files(algorithm, digest):
    resources = [{"name": "x", "digest": digest, "algorithm": algorithm}]
    assert model(resources, hash_type=algorithm).values["root_agrees"] is True


def test_a_signature_is_of_one_model():
    whole = document()
    whole["subject"].append({"name": "other", "digest": {"sha256": "ab" * 32}})
    with pytest.raises(MalformedError, match="and this statement has 2"):
        summary(whole)


def test_a_model_has_a_name_and_a_sha256():
    for name, to in (("name", ""), ("digest", {"sha512": "ab" * 64})):
        whole = document()
        whole["subject"][0][name] = to
        with pytest.raises(MalformedError, match=r"subject\[0\] has no name or no"):
            summary(whole)


def test_a_model_is_signed_with_a_statement_of_version_1():
    whole = document() | {"_type": "https://in-toto.io/Statement/v0.1"}
    with pytest.raises(MalformedError, match=r"statements v1, and this one is v0\.1"):
        summary(whole)


@pytest.mark.parametrize(
    "names", [("b", "a"), ("a", "a"), ("a", "B"), ("\U0001f600", "\uffee")]
)
def test_files_stand_in_the_order_of_their_code_points_each_once(names):
    match = r"predicate\.resources\[1\]\.name does not sort after the one before it"
    with pytest.raises(MalformedError, match=match):
        model(files(*names))


@given(
    st.sets(
        st.text(st.characters(codec="utf-8", exclude_characters="/."), min_size=1),
        min_size=1,
    )
)
def test_any_files_in_that_order_are_a_model(names):
    ordered = sorted(names, key=lambda each: [ord(character) for character in each])
    assert model(files(*ordered)).values["root_agrees"] is True


@pytest.mark.parametrize(
    "name",
    ["/a", "../a", "a/../b", "a/..", "./a", "a/./b", "a//b", "a/", "/", "..", "."],
)
def test_no_file_lies_outside_its_model_or_has_two_names(name):
    match = r"resources\[0\]\.name is not a path below the model"
    with pytest.raises(MalformedError, match=match):
        model(files(name))
    with pytest.raises(MalformedError, match=match):
        shards(f"{name}:0:10")


@pytest.mark.parametrize(
    "name", ["...", "a..b", ".hidden", "a:b:c", "a b", "模型.bin", "a\\b"]
)
def test_other_names_are_names(name):
    assert model(files(name)).values["resources"] == 1


def test_shards_are_counted_as_shards():
    found = shards("a:b:0:10", "w:0:10", "w:10:15")
    assert "3 shards by sha256" in found.says
    assert model(files("w:0:1"), method="shards", shard_size=1)


@pytest.mark.parametrize(
    "name",
    ["w", "w:0", "w:10:0", "w:5:5", "w:00:5", "w:-1:5", "w:0:5 ", ":0:5", "w:0:\u0665"],
)
def test_a_shard_says_where_it_begins_and_ends(name):
    with pytest.raises(MalformedError, match=r"resources\[0\]\.name is not PATH:START"):
        shards(name)


@pytest.mark.parametrize(
    ("method", "size"),
    [("files", 10), ("shards", None), ("shards", 0), ("shards", -1), ("files", 0)],
)
def test_a_shard_size_stands_with_shards_and_nowhere_else(method, size):
    with pytest.raises(MalformedError, match="shard_size is a positive integer where"):
        model(files("w:0:10"), method=method, shard_size=size)


def test_all_files_are_hashed_as_the_serialization_says():
    match = r"resources\[2\]\.algorithm is not the hash_type of the serialization"
    with pytest.raises(MalformedError, match=match):
        spoil(2, "algorithm", "blake3")


@pytest.mark.parametrize(
    "digest", ["ab" * 31, "ab" * 33, "AB" * 32, "xy" * 32, "٣" * 64]
)
def test_a_files_digest_is_hex_of_its_algorithms_length(digest):
    match = r"resources\[0\]\.digest is not 64 hex digits in lower case, as sha256 has"
    with pytest.raises(MalformedError, match=match):
        spoil(0, "digest", digest)


def test_what_is_left_out_is_named():
    with pytest.raises(MalformedError, match="ignore_paths has what is no text"):
        model(RESOURCES, ignore_paths=[".git", None])
