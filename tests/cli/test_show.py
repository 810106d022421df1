"""What a record says is said in plain words, and found again by what it is about."""

import json
import re
from hashlib import sha256

import pytest

from capture import of_file
from ledger.log.own import schema_publish
from ledger.schema import jsonschema
from tests.cli.operating import ROOT, done, provlog, record_text
from tests.livelog import FIRST
from tests.records import ID, record
from verifier.entry import prefix_of
from verifier.record import encode_record

SCHEMA = ROOT / "docs" / "record.schema.json"


@pytest.fixture
def story(new_log, tmp_path):
    """A log with an example of four kinds, from index 2 on."""
    log = new_log(kind="record")
    kinds = ("workflow.start", "inference", "review.decision", "action.effect")
    for kind in kinds:
        (tmp_path / kind).write_text(done("example", kind, "--json"))
    done("append", log.folder, *(tmp_path / kind for kind in kinds))
    return log.folder


def test_it_is_said_who_did_what_with_what(story):
    said = done("show", story, 3)
    for line in (
        "what        A model was asked, and answered. (inference)",
        "who         agent:refunds (agent) v3",
        "model       example claims-7b",
        "input       messages messages.json sha256:",
        "cost        0.0031 EUR",
        "ended       ok",
        "known by    refunds-1 as sdk, committed",
    ):
        assert f"\n{line}" in f"\n{said}"


def test_a_program_gets_the_record(story):
    said = json.loads(done("show", story, 4, "--json"))
    assert (said["index"], said["record"]["kind"]) == (4, "review.decision")
    assert said["by"].startswith("o-")


def test_what_the_log_says_itself_is_said_too_and_long_texts_by_their_length(story):
    said = done("show", story, 1)
    assert said.startswith("entry       1, by log at 2")
    assert "\nkind        schema.publish\ndigest      sha256:" in said
    assert "schema      provlog/record/1\n" in said
    assert re.search(r"\njson_schema +\d+ bytes; --json has them\n$", said)
    assert "keys        log.example/live+" in done("show", story, 0)


def test_a_program_gets_the_schema_by_which_the_records_are_judged(story):
    own = json.loads(done("show", story, 1, "--json"))["own"]
    assert own["json_schema"].encode() == jsonschema.text()
    assert own["digest"] == "sha256:" + sha256(jsonschema.text()).hexdigest()


def test_what_is_neither_is_named_as_that(story, new_log):
    given = provlog("show", story, 9)
    assert (given.exit_code, "no entry 9" in given.stderr) == (1, True)
    bytes_ = new_log("bytes")
    bytes_.append(b"x")
    given = provlog("show", bytes_.folder, 0)
    assert (given.exit_code, "is no record" in given.stderr) == (1, True)


def test_nothing_that_somebody_wrote_moves_the_cursor(new_log, tmp_path):
    log = new_log(kind="record")
    odd = record_text(1, note="a", **{"x\x1b[2J": 1})
    (tmp_path / "odd").write_bytes(odd)
    done("append", log.folder, tmp_path / "odd")
    assert "\x1b" not in done("show", log.folder, 2)


def test_the_schema_is_found_by_its_file(story):
    said = done("check", story, SCHEMA)
    assert said == "entry 1  the log has entered it, to judge records by\n"


# Lists


def listed(*words):
    """The kinds of what is listed."""
    return [line.split()[3] for line in done("list", *words).splitlines()]


def test_what_is_listed_can_be_of_some_kinds_of_a_workflow_or_of_an_actor(story):
    assert listed(story, "--kind", "inference") == ["inference"]
    both = ("--kind", "inference", "--kind", "genesis")
    assert listed(story, *both) == ["genesis", "inference"]
    assert listed(story, "--workflow", "refund-7781") == ["workflow.start"]
    assert listed(story, "--actor", "agent:refunds") == ["inference", "action.effect"]
    of_one = ("--actor", "person:7f3c", "--kind", "review.decision")
    assert listed(story, *of_one) == ["review.decision"]
    assert listed(story, "--kind", "plan") == []


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("inferense", "did you mean inference?"),
        ("producer.ad", "did you mean producer.add?"),
        ("zzz", "provlog example lists them"),
    ],
)
def test_a_kind_that_there_is_not_is_told(story, kind, says):
    done = provlog("list", story, "--kind", kind)
    assert done.exit_code == 0
    assert f"there is no kind '{kind}' in this version: {says}" in done.stderr
    assert not provlog("list", story, "--kind", "x-a.b", "--kind", "freeze").stderr


def test_what_is_listed_can_be_what_was_logged_since_a_time(story):
    first = json.loads(done("list", story, "--json").splitlines()[0])
    assert len(listed(story, "--since", first["at"] // 1000)) == 6
    assert listed(story, "--since", first["at"] // 1000 + 3600) == []
    assert listed(story, "--last", 2, "--since", "2026-01-01T00:00:00Z") == [
        *("review.decision", "action.effect")
    ]


def test_where_nobody_says_when_nobody_can_ask_since_when(new_log):
    log = new_log()
    log.append(b"entry")
    given = provlog("list", log.folder, "--since", "2026-01-01T00:00:00Z")
    assert given.exit_code == 1
    assert "only the entries of a record log have a time" in given.stderr


def test_a_file_is_found_as_what_it_was(new_log, tmp_path):
    log = new_log(kind="record")
    (tmp_path / "answer.txt").write_text("Within 60 days, yes.")
    answer = of_file(tmp_path / "answer.txt")
    line = record_text(1, kind="plan", outputs=[answer], inputs=[answer, answer])
    (tmp_path / "plan").write_bytes(line)
    done("append", log.folder, tmp_path / "plan")
    said = done("check", log.folder, tmp_path / "answer.txt")
    assert "entry 2  a record (plan) whose input and output it is, at " in said


def test_bytes_that_look_like_the_logs_own_word_are_not_taken_for_it(
    new_log, tmp_path, monkeypatch
):
    """Whoever may submit to a log of bytes can write them."""
    monkeypatch.chdir(tmp_path)
    forged = prefix_of(1_790_000_000_000) + schema_publish().data
    log = new_log("bytes")
    log.append(forged)
    given = provlog("show", log.folder, 0)
    assert (given.exit_code, "just bytes" in given.stderr) == (1, True)
    done("export", log.folder, "out")
    policy = ("--policy", log.folder / "policy.txt")
    given = provlog("check", "out", SCHEMA, *policy)
    assert (given.exit_code, given.stdout) == (1, "")
    given = provlog("show", "out", 0, *policy)
    assert (given.exit_code, "just bytes" in given.stderr) == (1, True)
    # Without a policy nobody has said of which kind the log is.
    said = done("show", "out", 0)
    assert said.startswith("entry       0, if this is a record log, by log at ")


def test_a_digest_inside_a_longer_text_or_in_a_name_is_none(new_log, tmp_path):
    log = new_log(kind="record")
    file = tmp_path / "weights"
    file.write_bytes(b"weights")
    digest = of_file(file)["digest"]
    log.append(encode_record(record(1, project=f"xG{digest}")))
    log.append(encode_record(record(2, **{digest: "name"})))
    given = provlog("check", log.folder, file)
    assert (given.exit_code, given.stdout) == (1, "")


def first_id(log):
    return json.loads(done("show", log, FIRST, "--json"))["record"]["id"]


@pytest.mark.parametrize("begin", ["", "rec:"])
def test_a_record_is_found_by_its_id_as_a_link_has_it(story, begin):
    said = done("show", story, f"{begin}{first_id(story)}")
    assert said.startswith(f"entry       {FIRST}, rec:{first_id(story)}, by o-")


def test_so_it_is_in_an_export(story, tmp_path):
    done("export", story, tmp_path / "out")
    policy = ("--policy", story / "policy.txt")
    said = done("show", tmp_path / "out", first_id(story), *policy)
    assert said.startswith(f"entry       {FIRST}, rec:")


def test_so_it_is_over_http_with_and_without_an_index(new_log, new_service, tmp_path):
    for index in ("true", "false"):
        live = new_log(index, kind="record", settings=f"index = {index}\n")
        live.append(encode_record(record(1)), encode_record(record(2)))
        service = new_service(live, workers=0)
        policy = ("--policy", live.folder / "policy.txt")
        said = done("show", service.url, f"rec:{ID % 2}", *policy)
        assert said.startswith(f"entry       {FIRST + 1}, rec:{ID % 2}, by o-")
        service.stop()
        assert done("show", live.folder, ID % 2).startswith(f"entry       {FIRST + 1}")


def test_an_id_that_nothing_has_and_one_that_is_only_mentioned_are_not_found(new_log):
    log = new_log(kind="record")
    links = [{"rel": "used", "target": f"rec:{ID % 7}"}]
    log.append(encode_record(record(1, links=links)))
    for id_ in (ID % 7, ID % 8):
        given = provlog("show", log.folder, id_)
        assert (given.exit_code, given.stdout) == (1, "")
        assert f"no record has the id {id_}" in given.stderr
