"""Each story of docs/sample/stories is one chain of records that can be followed."""

import json
from hashlib import sha256

import pytest

from docs.sample.storytelling import HERE, RECORDS, STORIES, lines, make
from ledger.log.forms import record_in
from ledger.schema.checking import faults_in

ROOTS = {"refund": "ticket", "change": "requirement", "model": "dataset.version"}


@pytest.fixture(params=STORIES)
def name(request):
    return request.param


def test_it_is_what_its_script_makes(name, tmp_path):
    make(tmp_path)
    kept = {each.name: each.read_bytes() for each in (HERE / name).iterdir()}
    made = {each.name: each.read_bytes() for each in (tmp_path / name).iterdir()}
    assert kept == made, "mend it: python -m docs.sample.storytelling"


def test_its_records_name_each_file_that_lies_beside_them(name):
    said = lines(STORIES[name]())
    for each in (HERE / name).iterdir():
        digest = sha256(each.read_bytes()).hexdigest()
        assert each.name == RECORDS or digest in said, each.name


def test_each_of_its_records_keeps_every_rule(name):
    for record in STORIES[name]():
        assert faults_in(json.loads(json.dumps(record))) == []


def test_each_record_leads_to_earlier_ones_and_in_the_end_to_its_root(name):
    story = STORIES[name]()
    ids = [record["id"] for record in story]
    assert ids == sorted(set(ids))
    assert [record["time"] for record in story] == sorted(r["time"] for r in story)
    leads = {
        record["id"]: {
            each["target"].removeprefix("rec:")
            for each in record.get("links", [])
            if each["target"].startswith("rec:")
        }
        for record in story
    }
    for at, id_ in enumerate(ids):
        assert leads[id_] <= set(ids[:at]), f"{id_} leads to what is not there yet"
    assert story[0]["kind"] == ROOTS[name]
    assert reached(leads, ids[-1]) >= {ids[0]}


def reached(leads, begin):
    """Every record that one comes to from there."""
    todo, seen = [begin], set()
    while todo:
        id_ = todo.pop()
        if id_ not in seen:
            seen.add(id_)
            todo += leads[id_]
    return seen


def test_a_story_is_logged_as_it_is(new_log, tmp_path, name):
    live = new_log(kind="record")
    with live.open() as log:
        text = (HERE / name / RECORDS).read_bytes().splitlines()
        answer = log.append([record_in(line, by_line=True) for line in text])
        assert len(answer.indexes) == len(STORIES[name]())


def test_the_squash_keeps_what_its_commits_were():
    merged = next(each for each in STORIES["change"]() if each["kind"] == "merge")
    squashed = [e["target"] for e in merged["links"] if e["rel"] == "squashes"]
    assert len(squashed) == 4
    assert sum(each.startswith("git:") for each in squashed) == 2
