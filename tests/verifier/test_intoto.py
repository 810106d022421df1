"""A statement is about artifacts that are known by their digests, and nothing else."""

import json
from base64 import b64decode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import foreign
from tests.spoiling import DROP, replaced
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.statement.intoto import (
    DIGITS,
    MAX_DIGESTS,
    MAX_SUBJECTS,
    PAYLOAD_TYPE,
    InTotoStatement,
    Subject,
    is_in_toto,
)

V1 = "https://in-toto.io/Statement/v1"
V01 = "https://in-toto.io/Statement/v0.1"
KIND = "https://types.example/claim/v1"

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)


def document() -> dict[str, Any]:
    """A true statement, for a test to spoil."""
    return {
        "_type": V1,
        "subject": [
            {"name": "weights.bin", "digest": {"sha256": "ab" * 32, "md5": "cd" * 16}},
            {"digest": {"gitCommit": "ef" * 20}},
        ],
        "predicateType": KIND,
        "predicate": {"temperature": 0.7, "note": None},
    }


def parse(value: object) -> InTotoStatement:
    return InTotoStatement.parse(json.dumps(value).encode())


def spoiled(*path: str | int, to: object) -> dict[str, Any]:
    """The true statement with the value at `path` replaced or dropped."""
    whole: dict[str, Any] = replaced(document(), *path, to=to)
    return whole


def about(**digests: object) -> dict[str, Any]:
    return spoiled("subject", to=[{"digest": digests}])


# What it says


def test_a_statement_has_subjects_and_what_is_said_of_them():
    assert parse(document()) == InTotoStatement(
        version="v1",
        subjects=(
            Subject(
                name="weights.bin", digests={"sha256": "ab" * 32, "md5": "cd" * 16}
            ),
            Subject(name=None, digests={"gitCommit": "ef" * 20}),
        ),
        predicate_type=KIND,
        predicate={"temperature": "0.7", "note": None},
    )


def test_a_statement_of_the_older_version_is_read_and_says_so():
    assert parse(spoiled("_type", to=V01)).version == "v0.1"


@pytest.mark.parametrize("unset", [DROP, None, {}])
def test_an_unset_predicate_is_an_empty_one(unset):
    assert parse(spoiled("predicate", to=unset)).predicate is None


@pytest.mark.parametrize("unset", [DROP, None, ""])
def test_an_unset_name_is_an_empty_one(unset):
    assert parse(spoiled("subject", 0, "name", to=unset)).subjects[0].name is None


def test_what_nobody_knows_is_passed_over():
    more = document() | {"x": [1.5, None], "https://types.example/ext": {}}
    more["subject"][0] |= {"uri": 7, "annotations": {"a": [None]}, "content": "AA"}
    assert parse(more) == parse(document())


def test_the_models_that_strangers_signed_are_read():
    folder = foreign.folder("model-signing") / "v1.0" / "valid"
    paths = sorted(folder.glob("*.json"))
    assert len(paths) == 3
    for path in paths:
        envelope = json.loads(path.read_text())["dsseEnvelope"]
        assert is_in_toto(envelope["payloadType"])
        statement = InTotoStatement.parse(b64decode(envelope["payload"]))
        assert statement.predicate_type == "https://model_signing/signature/v1.0"
        assert [each.partition(":")[0] for each in statement.subject_digests()] == [
            "sha256"
        ]


# What it is about


def test_it_is_about_digests_each_once_and_in_order():
    whole = document()
    whole["subject"].append({"name": "again", "digest": {"sha256": "ab" * 32}})
    assert parse(whole).subject_digests() == (
        f"sha256:{'ab' * 32}",
        f"md5:{'cd' * 16}",
        f"gitCommit:{'ef' * 20}",
    )


@given(st.lists(HEX, min_size=1, max_size=9), TEXT)
def test_it_is_about_what_its_subjects_name_whatever_they_call_it(values, name):
    listed = [{"name": name, "digest": {"sha256": each}} for each in values]
    digests = parse(spoiled("subject", to=listed)).subject_digests()
    assert set(digests) == {f"sha256:{each}" for each in values}


def test_a_name_that_looks_like_a_digest_is_a_name():
    named = {"name": f"sha256:{'00' * 32}", "digest": {"sha256": "ab" * 32}}
    digests = parse(spoiled("subject", to=[named])).subject_digests()
    assert digests == (f"sha256:{'ab' * 32}",)


@pytest.mark.parametrize(
    "algorithm",
    [f"sha256:{'ab' * 31}", "sha256:", ":", "a b", "", "ä", "a\n", "a" * 65],
)
def test_no_algorithm_is_called_so_that_its_digest_is_taken_for_another(algorithm):
    with pytest.raises(MalformedError, match="algorithm whose name is not"):
        parse(about(**{algorithm: "ab"}))


@pytest.mark.parametrize(
    ("algorithm", "digits"),
    [(name, length) for name, lengths in DIGITS.items() for length in lengths],
)
def test_a_known_digest_has_its_length(algorithm, digits):
    statement = parse(about(**{algorithm: "0" * digits}))
    assert statement.subject_digests() == (f"{algorithm}:{'0' * digits}",)
    for other in (digits - 2, digits - 1, digits + 1, digits + 2):
        with pytest.raises(MalformedError, match=rf"subject\[0\].digest.{algorithm}"):
            parse(about(**{algorithm: "0" * other}))


@pytest.mark.parametrize("algorithm", ["sha256", "blake2b", "gitCommit"])
@pytest.mark.parametrize("value", ["AB" * 32, "0x" + "ab" * 31, "g" * 64, "٣" * 64])
def test_a_known_digest_is_hex_in_lower_case(algorithm, value):
    with pytest.raises(MalformedError, match=f"{algorithm} is not"):
        parse(about(**{algorithm: value}))


def test_who_wrote_a_digest_in_capitals_is_told_what_is_wrong_and_where():
    says = r"subject\[1\]\.digest\.gitCommit is not 40 or 64 hex digits in lower case"
    with pytest.raises(MalformedError, match=says):
        parse(spoiled("subject", 1, "digest", "gitCommit", to="EF" * 20))


@pytest.mark.parametrize("digits", [2, 40, 64, 128])
def test_a_digest_of_a_length_that_its_user_chose_is_whole_bytes(digits):
    assert parse(about(blake2b="0" * digits)).subjects
    with pytest.raises(MalformedError, match="blake2b is not hex digits in lower case"):
        parse(about(blake2b="0" * (digits - 1)))


@pytest.mark.parametrize("value", ["ABC", "h1:Khu2En+0gcY=", "x" * 512, "7"])
def test_a_digest_of_an_algorithm_that_is_not_known_is_kept_as_it_is(value):
    assert parse(about(coolHash=value)).subject_digests() == (f"coolHash:{value}",)


@pytest.mark.parametrize(
    "value", ["", " ", "a b", "ä", "a\n", "\u202e", "x" * 513, 7, 1.5]
)
def test_but_it_is_visible_text_of_a_bounded_length(value):
    with pytest.raises(MalformedError, match=r"coolHash is not text of 1 to 512"):
        parse(about(coolHash=value))


# What it is not


@pytest.mark.parametrize(
    ("path", "to", "named"),
    [
        (["_type"], DROP, "_type is not"),
        (["_type"], "https://in-toto.io/Statement/v2", "_type is not"),
        (["_type"], V1.lower(), "_type is not"),
        (["_type"], V1 + "/", "_type is not"),
        (["_type"], [V1], "_type is not"),
        (["_type"], 1.5, "_type is not"),
        (["subject"], DROP, "subject is not a list of 1 to 1024"),
        (["subject"], None, "subject is not a list of 1 to 1024"),
        (["subject"], [], "subject is not a list of 1 to 1024"),
        (["subject"], {"name": "a"}, "subject is not a list of 1 to 1024"),
        (["subject", 1], None, r"subject\[1\] is not an object"),
        (["subject", 1], "sha256:ab", r"subject\[1\] is not an object"),
        (["subject", 0, "name"], 1, r"subject\[0\].name is not text"),
        (["subject", 0, "name"], ["a"], r"subject\[0\].name is not text"),
        (["subject", 0, "digest"], DROP, r"subject\[0\].digest is not an object"),
        (["subject", 0, "digest"], None, r"subject\[0\].digest is not an object"),
        (["subject", 0, "digest"], {}, r"subject\[0\].digest is not an object"),
        (["subject", 0, "digest"], ["sha256"], r"\[0\].digest is not an object"),
        (["subject", 0, "digest", "sha256"], None, r"\[0\].digest.sha256 is not text"),
        (["predicateType"], DROP, "predicateType is not a URI"),
        (["predicateType"], "", "predicateType is not a URI"),
        (["predicateType"], 1.5, "predicateType is not a URI"),
        (["predicateType"], "u" * 1_025, "predicateType is not a URI"),
        (["predicate"], [], "predicate is not an object"),
        (["predicate"], "text", "predicate is not an object"),
    ],
    ids=lambda each: "dropped" if each is DROP else str(each)[:40],
)
def test_a_statement_of_another_form_is_refused(path, to, named):
    with pytest.raises(MalformedError, match=named):
        parse(spoiled(*path, to=to))


@pytest.mark.parametrize("kind", ["u", "u" * 1_024], ids=len)
def test_the_shortest_and_the_longest_type_of_a_predicate_are_types(kind):
    assert parse(spoiled("predicateType", to=kind)).predicate_type == kind


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b"hello", b'{"_type":1}'])
def test_what_is_no_statement_is_refused(data):
    with pytest.raises(MalformedError, match="the statement"):
        InTotoStatement.parse(data)


def test_a_subject_stands_once():
    twice = json.dumps(document()).replace("{", '{"subject": [], ', 1).encode()
    with pytest.raises(MalformedError, match="twice"):
        InTotoStatement.parse(twice)


def test_subjects_and_digests_are_counted_before_they_are_read():
    one = {"digest": {"x": "0"}}
    assert len(parse(spoiled("subject", to=[one] * MAX_SUBJECTS)).subjects) == 1_024
    with pytest.raises(MalformedError, match="1 to 1024 artifacts"):
        parse(spoiled("subject", to=[None] * (MAX_SUBJECTS + 1)))
    many = {f"x{n}": "0" for n in range(MAX_DIGESTS)}
    assert len(parse(about(**many)).subject_digests()) == MAX_DIGESTS
    with pytest.raises(MalformedError, match="of 1 to 16 digests"):
        parse(about(**many, one_more=None))


def test_a_statement_is_bounded_before_it_is_read():
    with pytest.raises(MalformedError, match="at most 65000 are read"):
        InTotoStatement.parse(b"{" + b" " * MAX_BODY_BYTES)


@given(st.data())
def test_a_statement_with_any_byte_replaced_is_read_or_refused(data):
    whole = bytearray(json.dumps(document()).encode())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):
        InTotoStatement.parse(bytes(whole))


VALUES = st.recursive(
    st.none() | st.booleans() | TEXT | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(list(document())), VALUES)
def test_a_statement_with_any_value_as_a_member_is_read_or_refused(name, value):
    with suppress(MalformedError):
        parse(spoiled(name, to=value))


@given(st.sampled_from(["name", "digest"]), VALUES)
def test_a_subject_with_any_value_as_a_member_is_read_or_refused(name, value):
    with suppress(MalformedError):
        parse(spoiled("subject", 0, name, to=value))


# The type of a payload


@pytest.mark.parametrize(
    "kind",
    [
        PAYLOAD_TYPE,
        *(
            f"application/vnd.in-toto.{each}+json"
            for each in ("provenance", "vsa", "test-result", "vulns_02", "spdx")
        ),
    ],
)
def test_either_type_of_payload_is_that_of_a_statement(kind):
    assert is_in_toto(kind)


@pytest.mark.parametrize(
    "kind",
    [
        *("", "application/json", "application/vnd.in-toto", "text/vnd.in-toto+json"),
        *(PAYLOAD_TYPE + "\n", PAYLOAD_TYPE + " ", " " + PAYLOAD_TYPE),
        *(PAYLOAD_TYPE.upper(), PAYLOAD_TYPE + ";v=1", "application/vnd.in-toto+dsse"),
        *("application/vndxin-toto+json", "application/vnd.in-totoxvsa+json"),
        *("application/vnd.in-toto.+json", "application/vnd.in-toto.a/b+json"),
        *("application/vnd.in-toto.ä+json", "application/vnd.in-toto.a b+json"),
    ],
)
def test_no_other_type_is(kind):
    assert not is_in_toto(kind)
