"""A profile says which fields records need: what lacks one is refused, or flagged."""

import json
from pathlib import Path

import pytest

from ledger.errors import Held
from ledger.schema.demands import Demands
from ledger.schema.examples import example
from ledger.schema.kinds import KINDS
from ledger.schema.profile import NAMES, Profile, read_profile
from tests.profiles import HEAD
from verifier.errors import MalformedError

REQUIRE = """
[[require]]
kinds = ["inference"]
fields = ["model.version"]
missing = "reject"
because = "we want to know which"
"""


def demanding(fields, *, kinds='["*"]', missing="reject", when="always"):
    """What is demanded by a profile of one demand."""
    text = (
        f"{HEAD}[[require]]\nkinds = {kinds}\nfields = {fields}\n"
        f'missing = "{missing}"\nwhen = "{when}"\nbecause = "so it is"\n'
    )
    return Demands(Profile.parse(text.encode()).demands)


def lacking(fields, record, **more):
    """The paths for which `record` is refused."""
    return [each.path for each in demanding(fields, **more).refusals(record)]


# Demands


def test_what_is_missing_is_named_with_the_profile_and_the_reason():
    (fault,) = demanding('["model.version"]').refusals(example("ticket"))
    assert str(fault) == (
        "model.version is missing: the profile house wants it: so it is"
    )


def test_what_is_missing_is_refused_or_flagged_as_the_profile_says():
    record = example("ticket")
    flags = demanding('["model.version"]', missing="flag")
    assert (flags.refusals(record), len(flags.flags(record))) == ([], 1)
    refusals = demanding('["model.version"]', missing="reject")
    assert (len(refusals.refusals(record)), refusals.flags(record)) == (1, ())


def test_only_records_of_the_named_kinds_are_looked_at():
    kinds = '["inference", "x-house.run"]'
    assert not lacking('["env"]', example("ticket"), kinds=kinds)
    assert lacking('["env"]', example("inference"), kinds=kinds) == ["env"]
    assert lacking('["env"]', {"kind": "x-house.run"}, kinds=kinds) == ["env"]


def test_one_of_several_is_enough():
    fields = '["tenant | project", "env"]'
    assert lacking(fields, {"tenant": "a", "env": "b"}) == []
    assert lacking(fields, {"project": "a"}) == ["env"]
    assert lacking(fields, {"env": "b"}) == ["tenant or project"]


@pytest.mark.parametrize("nothing", ["", [], {}], ids=["text", "list", "object"])
def test_what_is_empty_is_not_there(nothing):
    assert lacking('["note"]', {"note": nothing}) == ["note"]


@pytest.mark.parametrize("something", [0, False, "x", [1], {"a": 1}], ids=str)
def test_what_is_said_is_there_whatever_it_is(something):
    assert lacking('["note"]', {"note": something}) == []


def test_each_member_of_a_list_has_to_have_it():
    one, other = {"id": "a", "version": "1"}, {"id": "b"}
    assert lacking('["policy.version"]', {"policy": [one]}) == []
    assert lacking('["policy.version"]', {"policy": [one, other]}) == ["policy.version"]
    assert lacking('["policy.version"]', {"policy": []}) == ["policy.version"]


def test_what_is_sealed_is_there():
    sealed = {"path": ["review", "reviewer", "id"], "digest": "sha256:" + 64 * "0"}
    record = {"review": {"role": "lead"}, "commitments": [sealed]}
    assert lacking('["review.reviewer"]', record) == []
    assert lacking('["review.reason"]', record) == ["review.reason"]


def test_what_is_wanted_in_the_end_is_not_wanted_before():
    record = {"kind": "inference"}
    for phase, missing in {"start": [], "intent": [], "end": ["outputs"]}.items():
        said = lacking('["outputs"]', record | {"phase": phase}, when="done")
        assert said == missing


@pytest.mark.parametrize(
    "record",
    [
        {"kind": 7, "commitments": 7},
        {"kind": ["inference"], "commitments": [7, {"path": 7}, {}]},
        {"model": 7},
        {"model": [[{}]]},
    ],
    ids=str,
)
def test_a_record_that_is_none_is_looked_at_all_the_same(record):
    assert lacking('["model.version"]', record) == ["model.version"]


SEALED_ELSEWHERE = [
    [0, "risk", "purpose"],
    ["risk"],
    ["risk", 7, "purpose"],
    ["policy", 3, "verdict"],
    ["links", 99, "digest"],
]


@pytest.mark.parametrize("path", SEALED_ELSEWHERE, ids=str)
def test_what_is_sealed_elsewhere_is_not(path):
    record = {
        "risk": {"region": "eu"},
        "policy": [{"id": "p"}],
        "links": [{"rel": "used"}, {"rel": "used"}],
        "commitments": [{"path": path, "digest": "sha256:" + 64 * "0"}],
    }
    fields = ["risk.purpose", "policy.verdict", "links.digest"]
    assert lacking(json.dumps(fields), record) == fields


def test_each_member_of_a_list_has_a_seal_of_its_own():
    digest = "sha256:" + 64 * "0"
    seals = [{"path": ["links", at, "digest"], "digest": digest} for at in range(2)]
    record = {"links": [{"rel": "used"}] * 2, "commitments": seals}
    assert lacking('["links.digest"]', record) == []
    record["commitments"] = seals[:1]
    assert lacking('["links.digest"]', record) == ["links.digest"]


# Profiles


def test_what_a_profile_says_can_be_read():
    found = Profile.parse((HEAD + REQUIRE).encode())
    assert (found.name, found.version) == ("house", "1")
    assert found.demands[0].kinds == ("inference",)


WHOLE = HEAD + REQUIRE
MISTAKES = {
    "unclosed": ("x = [", "no TOML"),
    "deep": ("a." * 50_000, "no TOML"),
    "no demand": (HEAD, "demands nothing"),
    "no demands": (f"require = []\n{HEAD}", "demands nothing"),
    "no table": (f"require = [1]\n{HEAD}", "[[require]] 1: is no table"),
    "odd member": (f"more = 1\n{WHOLE}", "'more' is not known"),
    "odd demand": (f"{WHOLE}kind = 1", "[[require]] 1: 'kind' is not known"),
    "no head": (REQUIRE, "profile is missing"),
    "other format": (WHOLE.replace("e/1", "e/2"), "profile is not provlog"),
    "two lines": (WHOLE.replace('"house"', '"a\\nb"'), "name is missing, or no text"),
    "kind": (WHOLE.replace("inference", "inferences"), "no kind 'inferences'"),
    "kinds": (WHOLE.replace('["inference"]', '"inference"'), "kinds is no list"),
    "step": (WHOLE.replace("model.version", "model..version"), "is no field"),
    "nothing": (WHOLE.replace("model.version", "|"), "is no field"),
    "fields": (WHOLE.replace('["model.version"]', "[]"), "fields is no list"),
    "missing": (WHOLE.replace("reject", "rejects"), "missing is not reject or flag"),
    "mixed up": (WHOLE.replace("reject", "done"), "missing is not reject or flag"),
    "when": (f"{WHOLE}when = 'then'", "when is not always or done"),
    "long": (WHOLE.replace("we want", 200 * "w"), "of 200 letters"),
    "vendor": (WHOLE.replace("inference", "x-"), "no kind 'x-'"),
    "many": (HEAD + 257 * REQUIRE, "more than 256 fields"),
    "because": (WHOLE.replace("because", "# because"), "because is missing"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_profile_with_a_mistake_is_refused_with_what_it_is(mistake):
    text, says = MISTAKES[mistake]
    with pytest.raises(MalformedError) as error:
        Profile.parse(text.encode())
    assert says in str(error.value)


def test_a_file_is_read_beside_the_settings_and_a_mistake_names_it(tmp_path):
    (tmp_path / "ours.toml").write_text(HEAD + REQUIRE)
    assert read_profile("ours.toml", tmp_path).name == "house"
    (tmp_path / "ours.toml").write_text(HEAD)
    for name, says in {"ours.toml": "demands nothing", "no": "agent-audit"}.items():
        with pytest.raises(Held, match=says) as held:
            read_profile(name, tmp_path)
        assert str(tmp_path / name) in str(held.value)


def test_one_that_would_not_fit_into_an_entry_is_refused(tmp_path):
    (tmp_path / "ours.toml").write_text(HEAD + REQUIRE + "# " + 49_000 * "x")
    with pytest.raises(Held, match=r"ours\.toml"):
        read_profile("ours.toml", tmp_path)


# Those that come along


def starter(name):
    return read_profile(name, Path())


@pytest.mark.parametrize("name", NAMES)
def test_one_that_comes_along_has_its_file_as_its_name(name):
    assert starter(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_no_profile_claims_that_whoever_keeps_it_complies(name):
    text = starter(name).text.decode().lower()
    assert "complian" not in text
    assert "conform" not in text.replace("no conformity", "")


@pytest.mark.parametrize("name", NAMES)
def test_every_field_that_is_demanded_is_one_of_the_schema(name):
    """Else nobody could have meant it."""
    known = {step: each for each in map(example, KINDS) for step in each}
    known |= dict.fromkeys(("delegation", "trace", "retention", "evidence", "risk"))
    for demand in starter(name).demands:
        for way in demand.ways:
            assert way[0] in known or way[0].endswith("_id"), way


def with_all(kind):
    """The example of a kind with all that the profiles want of some kind."""
    record = example(kind)
    return record | {
        "workflow_id": "w",
        "delegation": [{"id": "person:1", "type": "human"}],
        "policy": [{"id": "p", "verdict": "allow"}],
        "links": [{"rel": "used", "target": "ticket:a/1"}],
        "risk": {
            "purpose": "p",
            "risk_tier": "high",
            "substantial_modification": False,
        },
        "retention": {"class": "six-months"},
        "identity": {
            "id": "a",
            "type": "agent",
            "cause": "left",
            **record.get("identity", {}),
        },
        "result": {"status": "error", "error_type": "timeout"},
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_record_that_has_all_of_it_is_taken_without_a_flag(name, kind):
    demands = Demands(starter(name).demands)
    record = with_all(kind)
    if kind == "retrieval":
        record["retrieval"] = {
            "source_id": "s",
            "index_version": "1",
            "query_digest": "sha256:" + 64 * "0",
            "documents": [{"id": "d"}],
        }
    if kind == "review.decision":
        record["review"]["role"] = "lead"
    record.setdefault("outputs", [{"digest": "sha256:" + 64 * "0"}])
    assert not demands.refusals(record)
    assert not demands.flags(record)


SEVEN = {
    "the agent's authenticated identifier": ("inference", "actor.id"),
    "the delegated subject, when present": ("tool.call", "delegation"),
    "the resource or tool": ("action.effect", "tool.name or links"),
    "the action that was requested": ("tool.call", "kind"),
    "the authorization decision": ("tool.call", "policy.verdict"),
    "the timestamp": ("inference", "time"),
    "the correlation id": ("inference", "trace.trace_id or workflow_id or session_id"),
    "the posture or risk": ("tool.call", "risk or evidence"),
    "the cause of a revocation": ("credential.change", "identity.cause"),
    "the cause of what was mended": ("incident", "result.error_type"),
}


@pytest.mark.parametrize("what", SEVEN)
def test_the_seven_minimum_fields_are_in_the_schema_or_demanded(what):
    kind, path = SEVEN[what]
    demands = Demands(starter("agent-audit").demands)
    bare = {"kind": kind, "phase": "instant"}
    said = [each.path for each in (*demands.refusals(bare), *demands.flags(bare))]
    always = path.partition(".")[0] in ("actor", "kind", "time")
    assert always or any(each.startswith(path) for each in said)
