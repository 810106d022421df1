"""A predicate of a known type keeps to its rules; what it says is told in one line."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import MODEL, RESOURCES, root
from tests.spoiling import DROP
from verifier.errors import MalformedError
from verifier.statement.intoto import InTotoStatement
from verifier.statement.predicates import Summary, summarise
from verifier.statement.summary import MAX_SAYS, MAX_TEXT, clip

PROVENANCE = "https://slsa.dev/provenance/v1"
VERIFICATION = "https://slsa.dev/verification_summary/v1"
TESTS = "https://in-toto.io/attestation/test-result/v0.1"
UNSET = [DROP, None, "", {}, []]


TRUE: dict[str, dict[str, Any]] = {
    PROVENANCE: {
        "buildDefinition": {
            "buildType": "https://types.example/workflow/v1",
            "externalParameters": {"ref": "main", "retries": None},
            "resolvedDependencies": [{"uri": "git+ssh://src.example"}, {}],
        },
        "runDetails": {
            "builder": {"id": "https://builder.example/v2", "version": {"run": "2"}},
            "metadata": {
                "invocationId": "run 7",
                "startedOn": "2026-09-22T12:00:00Z",
                "finishedOn": "2026-09-22T14:00:00.25+02:00",
            },
        },
    },
    VERIFICATION: {
        "verifier": {"id": "https://verifier.example", "version": {"v": "1"}},
        "timeVerified": "2026-09-22T12:00:00Z",
        "resourceUri": "pkg:generic/model@1",
        "policy": {"uri": "https://policy.example/p1", "digest": {"x": "1"}},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3", "MY_OWN"],
    },
    TESTS: {
        "result": "WARNED",
        "configuration": [{"digest": {"gitBlob": "ab" * 20}}, {"uri": "ci.yml"}],
        "url": "https://ci.example/7",
        "passedTests": ["one", "two"],
        "warnedTests": ["three"],
        "failedTests": [],
    },
    MODEL: {
        "resources": RESOURCES,
        "serialization": {
            "method": "files",
            "hash_type": "sha256",
            "allow_symlinks": False,
            "ignore_paths": [".git"],
        },
    },
}


def document(kind: str) -> dict[str, Any]:
    """A true statement whose predicate is of type `kind`, for a test to spoil."""
    predicate = json.loads(json.dumps(TRUE[kind]))
    subject = [{"name": "model", "digest": {"sha256": root(RESOURCES)}}]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": kind,
        "predicate": predicate,
    }


def summary(whole: object) -> Summary:
    return summarise(InTotoStatement.parse(json.dumps(whole).encode()))


def changed(kind: str, path: str, to: object) -> dict[str, Any]:
    """The true statement, with the member at `path` of its predicate changed."""
    whole = document(kind)
    place: Any = whole["predicate"]
    *steps, last = [int(e) if e.isdecimal() else e for e in path.split(".")]
    for step in steps:
        place = place[step]
    if to is DROP:
        del place[last]
    else:
        place[last] = to
    return whole


def spoil(kind: str, path: str, to: object) -> Summary:
    return summary(changed(kind, path, to))


def named(each: object) -> str:
    return "dropped" if each is DROP else str(each)[:50]


# All of them


@pytest.mark.parametrize("kind", TRUE)
def test_what_a_known_predicate_says_is_one_line_and_values_for_json(kind):
    found = summary(document(kind))
    assert "\n" not in found.says
    assert len(found.says) <= MAX_SAYS
    assert found.values["predicate_type"] == kind
    assert json.loads(json.dumps(found.values)) == found.values
    # A report gives these words a meaning of its own.
    assert not found.values.keys() & {"check", "holds", "says"}


@pytest.mark.parametrize("kind", TRUE)
def test_a_known_predicate_does_not_do_without_what_it_requires(kind):
    for unset in (DROP, None, {}):
        whole = document(kind)
        whole["predicate"] = unset
        if unset is DROP:
            del whole["predicate"]
        with pytest.raises(MalformedError, match="requires"):
            summary(whole)


@pytest.mark.parametrize("kind", TRUE)
def test_what_nobody_knows_is_passed_over(kind):
    more = document(kind)
    more["predicate"] |= {"x": 1.5, "vendor_y": None}
    for each in more["predicate"].values():
        if isinstance(each, dict):
            each["z"] = [None]
    assert summary(more) == summary(document(kind))


@pytest.mark.parametrize(
    ("kind", "path", "wanted"),
    [
        (PROVENANCE, "buildDefinition", "an object"),
        (PROVENANCE, "buildDefinition.buildType", "text"),
        (PROVENANCE, "buildDefinition.externalParameters", "an object"),
        (PROVENANCE, "runDetails", "an object"),
        (PROVENANCE, "runDetails.builder", "an object"),
        (PROVENANCE, "runDetails.builder.id", "text"),
        (VERIFICATION, "verifier", "an object"),
        (VERIFICATION, "verifier.id", "text"),
        (VERIFICATION, "resourceUri", "text"),
        (VERIFICATION, "policy", "an object"),
        (VERIFICATION, "policy.uri", "text"),
        (VERIFICATION, "verificationResult", "text"),
        (TESTS, "result", "text"),
        (MODEL, "resources", "a list"),
        (MODEL, "resources.1.name", "text"),
        (MODEL, "resources.1.digest", "text"),
        (MODEL, "resources.1.algorithm", "text"),
        (MODEL, "serialization", "an object"),
        (MODEL, "serialization.method", "text"),
        (MODEL, "serialization.hash_type", "text"),
    ],
    ids=named,
)
def test_unset_null_and_empty_are_the_same_in_what_is_required(kind, path, wanted):
    place = path.replace(".1.", "[1].").replace(".", r"\.").replace("[1]", r"\[1\]")
    for unset in UNSET:
        match = (
            rf"^predicate\.{place} is missing or empty: .* requires {wanted} there; "
        )
        with pytest.raises(MalformedError, match=match):
            spoil(kind, path, unset)
    for other in (7, 1.5, True):
        with pytest.raises(
            MalformedError, match=rf"^predicate\.{place} is not {wanted}"
        ):
            spoil(kind, path, other)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (VERIFICATION, "verifiedLevels"),
        (TESTS, "configuration"),
        (MODEL, "serialization.allow_symlinks"),
    ],
    ids=named,
)
def test_a_list_may_be_empty_and_a_switch_off_but_they_are_there(kind, path):
    spoil(kind, path, False if "allow" in path else [])
    for unset in (DROP, None):
        with pytest.raises(
            MalformedError, match=rf"predicate\.{path} is missing or empty: "
        ):
            spoil(kind, path, unset)
    for other in (7, "no", {"a": 1}):
        with pytest.raises(MalformedError, match=rf"predicate\.{path} is not"):
            spoil(kind, path, other)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (PROVENANCE, "buildDefinition.resolvedDependencies"),
        (PROVENANCE, "runDetails.metadata"),
        (PROVENANCE, "runDetails.metadata.invocationId"),
        (PROVENANCE, "runDetails.metadata.startedOn"),
        (PROVENANCE, "runDetails.metadata.finishedOn"),
        (VERIFICATION, "timeVerified"),
        (TESTS, "url"),
        (TESTS, "passedTests"),
        (TESTS, "warnedTests"),
        (TESTS, "failedTests"),
        (MODEL, "serialization.ignore_paths"),
    ],
    ids=named,
)
def test_what_is_optional_may_be_unset_and_is_of_its_kind_if_not(kind, path):
    for unset in (DROP, None):
        assert spoil(kind, path, unset).kind == summary(document(kind)).kind
    with pytest.raises(MalformedError, match=rf"^predicate\.{path} is not"):
        spoil(kind, path, 7)


@pytest.mark.parametrize(
    ("kind", "path", "choices"),
    [
        (VERIFICATION, "verificationResult", "PASSED, FAILED"),
        (TESTS, "result", "PASSED, WARNED, FAILED"),
        (MODEL, "serialization.method", "files, shards"),
        (MODEL, "serialization.hash_type", "sha256, blake2b, blake3"),
    ],
    ids=named,
)
def test_a_word_is_one_of_those_that_there_are_and_these_are_told(kind, path, choices):
    for other in ("passed", "OK", "SHA256", "x" * 10_000):
        with pytest.raises(MalformedError, match=f"{choices}; mend it") as refusal:
            spoil(kind, path, other)
        assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(
    "time", ["2026-09-22", "yesterday", "2026-09-22T12:00:00", "٢٠٢٦-09-22T12:00:00Z"]
)
def test_a_time_is_one_with_a_zone(time):
    with pytest.raises(MalformedError, match="timeVerified is not a time such as"):
        spoil(VERIFICATION, "timeVerified", time)


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.floats(0, 1),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(value: object) -> list[str]:
    """Every path that leads into `value`."""
    inside = {}
    if isinstance(value, dict):
        inside = value
    elif isinstance(value, list):
        inside = {str(at): each for at, each in enumerate(value)}
    below = [f"{name}.{each}" for name in inside for each in paths(inside[name])]
    return [*inside, *below]


@given(
    st.sampled_from([(kind, each) for kind in TRUE for each in paths(TRUE[kind])]),
    VALUES,
)
def test_a_predicate_with_any_value_anywhere_is_summarised_or_refused(place, value):
    with suppress(MalformedError):
        spoil(*place, value)


# SLSA


def test_provenance_says_who_built_what_how():
    found = summary(document(PROVENANCE))
    assert found == Summary(
        kind="slsa-provenance",
        says="SLSA provenance v1: built by https://builder.example/v2 as "
        "https://types.example/workflow/v1",
        values={
            "predicate_type": PROVENANCE,
            "builder": "https://builder.example/v2",
            "build_type": "https://types.example/workflow/v1",
            "dependencies": 2,
            "invocation": "run 7",
            "started": "2026-09-22T12:00:00Z",
            "finished": "2026-09-22T14:00:00.25+02:00",
        },
    )


def test_provenance_needs_no_more_than_three_things():
    whole = document(PROVENANCE)
    del whole["predicate"]["buildDefinition"]["resolvedDependencies"]
    del whole["predicate"]["runDetails"]["metadata"]
    values = summary(whole).values
    assert values["dependencies"] == 0
    assert values["invocation"] is values["started"] is values["finished"] is None


def test_older_provenance_is_known_by_its_name_alone():
    whole = document(PROVENANCE) | {"predicateType": "https://slsa.dev/provenance/v0.2"}
    for predicate in (whole["predicate"], {"builder": 7}, None):
        found = summary(whole | {"predicate": predicate})
        assert found.kind == "slsa-provenance"
        assert "v0.2" in found.says


def test_a_verification_summary_says_who_verified_what_with_which_result():
    found = summary(document(VERIFICATION))
    assert found.kind == "vsa"
    assert found.says == (
        "SLSA verification summary: PASSED says https://verifier.example of "
        "pkg:generic/model@1; levels: SLSA_BUILD_LEVEL_3, MY_OWN"
    )
    assert found.values == {
        "predicate_type": VERIFICATION,
        "verifier": "https://verifier.example",
        "resource": "pkg:generic/model@1",
        "policy": "https://policy.example/p1",
        "result": "PASSED",
        "levels": ["SLSA_BUILD_LEVEL_3", "MY_OWN"],
        "verified": "2026-09-22T12:00:00Z",
    }


def test_a_failed_verification_says_so_first():
    whole = changed(VERIFICATION, "verificationResult", "FAILED")
    whole["predicate"]["verifiedLevels"] = []
    assert ": FAILED says" in summary(whole).says
    assert summary(whole).says.endswith("levels: none")


def test_a_level_is_text():
    with pytest.raises(MalformedError, match="verifiedLevels has what is no text"):
        spoil(VERIFICATION, "verifiedLevels", ["SLSA_BUILD_LEVEL_3", 3])


# Tests


def test_a_test_result_says_how_many_tests_went_how():
    found = summary(document(TESTS))
    assert found.kind == "test-result"
    assert found.says == (
        "test result: WARNED, with 2 tests passed, 1 with warnings, 0 failed"
    )
    assert found.values == {
        "predicate_type": TESTS,
        "result": "WARNED",
        "configurations": 2,
        "url": "https://ci.example/7",
        "passed": 2,
        "warned": 1,
        "failed": 0,
    }


def test_a_result_that_its_own_list_denies_is_told_with_the_list():
    whole = changed(TESTS, "failedTests", ["three"])
    whole["predicate"]["result"] = "PASSED"
    assert summary(whole).says.startswith("test result: PASSED, with 2 tests passed")
    assert summary(whole).says.endswith("1 failed")


@pytest.mark.parametrize("name", ["passedTests", "warnedTests", "failedTests"])
def test_a_test_has_a_name(name):
    with pytest.raises(MalformedError, match=f"{name} has what is no text"):
        spoil(TESTS, name, ["one", {"name": "two"}])


def test_a_configuration_says_what_it_is():
    with pytest.raises(MalformedError, match=r"configuration has what is no object"):
        spoil(TESTS, "configuration", ["ci.yml"])
    match = r"configuration\[1\]\.digest is missing, and so are its uri and its content"
    with pytest.raises(MalformedError, match=match):
        spoil(TESTS, "configuration.1", {"name": "ci.yml", "digest": {}})


# Others


@pytest.mark.parametrize(
    "kind",
    [
        "https://types.example/anything/v7",
        PROVENANCE + "/",
        PROVENANCE.upper(),
        "https://model_signing/Digests/v0.1",
        "\u202e\n",
        "u" * 1_024,
    ],
)
def test_a_predicate_of_another_type_is_never_refused(kind):
    for predicate in (None, {"a": [None, 1.5]}, {"buildDefinition": 7}):
        whole = document(MODEL) | {"predicateType": kind, "predicate": predicate}
        found = summary(whole)
        assert found.kind == "other"
        assert found.values == {"predicate_type": kind}
        assert len(found.says) < 2 * MAX_TEXT


def test_a_line_is_bounded_whatever_strangers_call_things():
    long = "x" * 20_000
    whole = changed(VERIFICATION, "verifiedLevels", [long])
    whole["predicate"] |= {"verifier": {"id": long}, "resourceUri": long}
    assert len(summary(whole).says) <= MAX_SAYS
    assert len(Summary.of("other", long).says) == MAX_SAYS
    assert clip("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert clip("x" * (MAX_TEXT + 1)) == "x" * (MAX_TEXT - 1) + "…"
