"""Predicates: what a statement says of its subjects, where its kind is known here.

Whoever signs a predicate of a known type has to keep to its rules, for others will
rely on what it says. What is of another type is kept, found by its subjects, and not
judged: most predicates are somebody's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from verifier.statement import model, slsa
from verifier.statement.intoto import InTotoStatement
from verifier.statement.summary import Part, Summary, clip

__all__ = ["Summary", "summarise"]

TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
RESULTS: Final = ("PASSED", "WARNED", "FAILED")


def summarise(statement: InTotoStatement) -> Summary:
    """What `statement` says; MalformedError if it breaks the rules of a known type."""
    return _KNOWN.get(statement.predicate_type, _summarise_other)(statement)


def _summarise_tests(statement: InTotoStatement) -> Summary:
    """What a test result says: how it went, and how many tests went how."""
    whole = Part(
        spec="the test result v0.1",
        path="predicate",
        members=statement.predicate or {},
    )
    result = whole.choice("result", RESULTS)
    configuration = whole.parts("configuration", empty=True)
    for each in configuration:
        if not any(each.members.get(name) for name in ("uri", "digest", "content")):
            each.refuse("digest", "is missing, and so are its uri and its content")
    passed, warned, failed = (
        len(whole.texts(name)) for name in ("passedTests", "warnedTests", "failedTests")
    )
    return Summary.of(
        "test-result",
        f"test result: {result}, with {passed} tests passed, {warned} with warnings, "
        f"{failed} failed",
        predicate_type=statement.predicate_type,
        result=result,
        configurations=len(configuration),
        url=whole.may("url", str) or None,
        passed=passed,
        warned=warned,
        failed=failed,
    )


def _summarise_other(statement: InTotoStatement) -> Summary:
    return Summary.of(
        "other",
        f"a predicate of type {clip(statement.predicate_type)}, not known here",
        predicate_type=statement.predicate_type,
    )


_KNOWN: Final[dict[str, Callable[[InTotoStatement], Summary]]] = {
    slsa.PROVENANCE: slsa.summarise_provenance,
    slsa.OLD_PROVENANCE: slsa.summarise_old_provenance,
    slsa.VERIFICATION: slsa.summarise_verification,
    TEST_RESULT: _summarise_tests,
    model.PREDICATE_TYPE: model.summarise_model,
}
