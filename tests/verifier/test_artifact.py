"""A file belongs to an entry that holds it, or its digest, and to no other."""

from dataclasses import replace
from hashlib import sha256

import pytest

from tests.recordlog import (
    ARTIFACT,
    ARTIFACT_DIGEST,
    INDEX,
    OPENED,
    bundle_of,
    check,
    committed,
    found,
    record,
    true_bundle,
    wrapped,
)
from verifier.commitment import Opening
from verifier.errors import ArtifactError
from verifier.record import encode_record

TRUE = true_bundle()
DIGEST = sha256(ARTIFACT).digest()
OTHER_DIGEST = sha256(b"other weights").digest()


def test_the_record_names_the_file_at_a_path():
    artifact = found(check(TRUE, artifact=DIGEST), "artifact")
    assert artifact["says"].endswith(" at outputs/0/digest")
    assert artifact["paths"] == [["outputs", 0, "digest"]]
    assert artifact["digest"] == ARTIFACT_DIGEST


def test_another_file_is_refused():
    with pytest.raises(ArtifactError, match=OTHER_DIGEST.hex()):
        check(TRUE, artifact=OTHER_DIGEST)


def test_an_opened_value_names_the_file():
    opened = replace(OPENED, value={"file": [ARTIFACT_DIGEST]})
    told = record(INDEX, outputs=[], commitments=committed(INDEX, opened))
    data = wrapped(encode_record(told))
    report = check(bundle_of(data, opened), artifact=DIGEST)
    assert found(report, "artifact")["paths"] == [["prompt", "text", "file", 0]]
    with pytest.raises(ArtifactError):
        check(bundle_of(data), artifact=DIGEST)


@pytest.mark.parametrize(
    ("outputs", "path", "shown"),
    [
        ([{"digest": ARTIFACT_DIGEST}], ["outputs", 0, "digest"], "outputs/0/digest"),
        (
            {"0": {"digest": ARTIFACT_DIGEST}},
            ["outputs", "0", "digest"],
            'outputs/"0"/digest',
        ),
        ({"0/digest": ARTIFACT_DIGEST}, ["outputs", "0/digest"], 'outputs/"0/digest"'),
    ],
    ids=["a position", "a name like one", "a name like a path"],
)
def test_two_places_that_are_written_alike_are_told_apart(outputs, path, shown):
    data = wrapped(encode_record(record(INDEX, outputs=outputs)))
    artifact = found(check(bundle_of(data), artifact=DIGEST), "artifact")
    assert artifact["paths"] == [path]
    assert artifact["says"].endswith(f" at {shown}")


def test_neither_of_two_openings_whose_paths_look_alike_hides_the_other():
    true = replace(OPENED, path=("a/b",), value=ARTIFACT_DIGEST)
    beside = Opening(path=("a", "b"), salt=bytes(32), value="another")
    told = record(INDEX, outputs=[], commitments=committed(INDEX, true, beside))
    data = wrapped(encode_record(told))
    for openings in ((true, beside), (beside, true)):
        report = check(bundle_of(data, *openings), artifact=DIGEST)
        assert found(report, "artifact")["paths"] == [["a/b"]]


def test_the_digest_of_a_commitment_is_not_the_digest_of_a_file():
    listed = record(INDEX)["commitments"][0]["digest"]
    with pytest.raises(ArtifactError):
        check(TRUE, artifact=bytes.fromhex(listed.removeprefix("sha256:")))


@pytest.mark.parametrize(
    "mention",
    [
        f"x{ARTIFACT_DIGEST}",
        ARTIFACT_DIGEST.upper(),
        DIGEST.hex(),
        {ARTIFACT_DIGEST: 1},
    ],
    ids=["in a text", "in capitals", "without its name", "as a name"],
)
def test_a_mention_that_is_not_the_digest_itself_does_not_count(mention):
    data = wrapped(encode_record(record(INDEX, outputs=[mention])))
    with pytest.raises(ArtifactError):
        check(bundle_of(data), artifact=DIGEST)


@pytest.mark.parametrize(
    "content",
    [ARTIFACT, DIGEST, DIGEST.hex().encode(), ARTIFACT_DIGEST.encode()],
    ids=["the file", "raw digest", "hex", "digest text"],
)
def test_an_opaque_entry_is_the_file_or_its_digest(content):
    assert found(check(bundle_of(content), artifact=DIGEST), "artifact")["holds"]
    body = bundle_of(wrapped(content, type="application/octet-stream"))
    assert found(check(body, artifact=DIGEST), "artifact")["holds"]


@pytest.mark.parametrize(
    "content",
    [b"", b"opaque", DIGEST[:31], DIGEST.hex().upper().encode(), ARTIFACT[1:]],
)
def test_any_other_opaque_entry_does_not_describe_the_file(content):
    with pytest.raises(ArtifactError, match="neither the file nor its digest"):
        check(bundle_of(content), artifact=DIGEST)


def test_the_wrapper_is_not_what_was_submitted():
    with pytest.raises(ArtifactError):
        check(
            bundle_of(wrapped(b"x", type="text/plain")),
            artifact=sha256(wrapped(b"x", type="text/plain")).digest(),
        )
