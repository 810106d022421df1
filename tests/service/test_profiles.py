"""What a log demands is asked of each record; what lacks it is refused, or flagged."""

import json
import os
import signal

import pytest

from capture import Client, Refused
from ledger.errors import Held
from ledger.log.log import Log
from tests.faults.public import gauge
from tests.livelog import FIRST
from tests.profiles import HOUSE
from tests.records import record
from tests.service.standing import standing
from verifier import Entry
from verifier.own import parse_own
from verifier.record import encode_record

NO_WORKFLOW = {
    "path": "workflow_id",
    "rule": "is missing",
    "mend": "the profile house wants it: a run has a number",
}
NO_ENV = {
    "path": "env",
    "rule": "is missing",
    "mend": "the profile house wants it: we like to know where",
}
WITH = {"workflow_id": "run-7"}


@pytest.fixture(scope="module", params=[0, 1], ids=["alone", "front end"])
def service(request, tmp_path_factory):
    """A service whose log has a profile of its own."""
    folder = tmp_path_factory.mktemp("profile")
    (folder / "house.toml").write_text(HOUSE)
    settings = 'profiles = ["../house.toml"]\n'
    options = {"kind": "record", "settings": settings, "workers": request.param}
    with standing(folder, **options) as made:
        yield made


def posted(service, given, **headers):
    kind = "application/cbor" if isinstance(given, bytes) else "application/json"
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    return service.post("/v1/records", body, Content_Type=kind, **headers)


@pytest.mark.parametrize("form", [dict, encode_record], ids=["json", "cbor"])
def test_for_want_of_what_is_demanded_a_record_is_refused(service, form):
    answer = posted(service, form(record(1)))
    assert (answer.status, answer.json["check"]) == (422, "schema")
    assert answer.json["faults"] == [NO_WORKFLOW]


def test_it_is_named_together_with_what_the_schema_says(service):
    answer = posted(service, record(1) | {"time": "today"})
    assert [each["path"] for each in answer.json["faults"]] == ["time", "workflow_id"]


@pytest.mark.parametrize("form", [dict, encode_record], ids=["json", "cbor"])
def test_for_want_of_what_would_be_liked_it_is_flagged(service, form):
    number = 10 if form is dict else 11
    answer = posted(service, form(record(number, **WITH)))
    assert (answer.status, answer.json["flags"]) == (201, [NO_ENV])
    service.remember(answer.json)
    again = posted(service, form(record(number, **WITH)))
    assert (again.status, again.json["flags"]) == (200, [NO_ENV])


def test_one_that_has_all_has_no_flags(service):
    answer = posted(service, record(12, **WITH, env="production"))
    assert (answer.status, "flags" in answer.json) == (201, False)
    service.remember(answer.json)


def test_in_a_batch_each_is_told_its_own(service):
    some = [record(20), record(21, **WITH), record(22, **WITH, env="test")]
    body = "".join(json.dumps(each) + "\n" for each in some).encode()
    kind = "application/x-ndjson"
    answer = service.post("/v1/records:batch", body, Content_Type=kind)
    refused, flagged, plain = map(json.loads, answer.body.splitlines())
    assert (refused["status"], refused["faults"]) == (422, [NO_WORKFLOW])
    assert (flagged["status"], flagged["flags"]) == (201, [NO_ENV])
    assert (plain["status"], plain.get("flags")) == (201, None)
    for each in (flagged, plain):
        service.remember(each)


def test_a_client_has_the_flags_beside_what_was_verified(service):
    with Client(service.url, None, service.live.folder / "policy.txt") as client:
        assert client.store(record(30, **WITH)).flags == (NO_ENV,)
        assert client.store(record(31, **WITH, env="test")).flags == ()
        with pytest.raises(Refused, match="a run has a number"):
            client.store(record(32))
        first, second = client.submit_batch([record(33, **WITH), record(34)])
        assert first.flags == (NO_ENV,)
        assert isinstance(second, Refused)


def test_the_profile_stands_in_the_log_before_the_first_record_that_it_judges(service):
    entry = Entry.parse(service.get(f"/v1/entries/{FIRST}").body)
    own = parse_own(entry)
    assert (own["kind"], own["profile"]) == ("profile.publish", "house")
    assert own["toml"] == HOUSE


# Logs, and their settings


@pytest.fixture
def house(new_log, tmp_path):
    """A log with a record in it, which gets a profile after that."""
    log = new_log(kind="record")
    log.append(encode_record(record(1)))
    (tmp_path / "house.toml").write_text(HOUSE)
    with (log.folder / "log.toml").open("a") as file:
        file.write('profiles = ["../house.toml"]\n')
    return log


def test_what_was_logged_before_it_was_demanded_keeps_its_index(house, new_service):
    service = new_service(house)
    answer = posted(service, record(1))
    assert (answer.status, answer.json["index"]) == (200, FIRST)
    assert posted(service, record(2)).status == 422
    assert posted(service, record(1, note="other")).status == 409


def test_what_was_flagged_is_counted_once(house, new_service):
    service = new_service(house)
    for number in (2, 2, 3):
        posted(service, record(number, **WITH))
    name = "provlog_records_flagged_total"
    service.until(lambda: gauge(service, name) >= 2)
    assert gauge(service, name) == 2


def test_a_front_end_that_is_started_again_judges_as_the_others_do(house, new_service):
    service = new_service(house, workers=1)
    (house.folder.parent / "house.toml").write_text("half")
    _, front, *_ = service.in_order()
    os.kill(front, signal.SIGKILL)
    service.until(lambda: "front_end_died" in service.said())
    service.until(lambda: len(service.children()) == 3)
    assert posted(service, record(2)).json["faults"] == [NO_WORKFLOW]


def test_rules_larger_than_a_batch_may_be_are_left_out_and_told(new_log, new_service):
    older = new_log(kind="record", older=True, settings="batch_bytes = 20000\n")
    service = new_service(older)
    answer = posted(service, record(1))
    assert (answer.status, answer.json["index"]) == (201, 1)
    service.remember(answer.json)
    assert service.said().count("rules_left_out") == 1


@pytest.mark.parametrize(
    ("kind", "names", "says"),
    [
        ("record", '["no-such"]', "agent-audit, eu-ai-act"),
        ("record", '["../house.toml"]', "demands nothing"),
        ("opaque", '["agent-audit"]', "profiles are about records"),
        ("statement", '["agent-audit"]', "profiles are about records"),
    ],
)
def test_a_log_with_a_profile_that_cannot_be_is_not_opened(
    new_log, tmp_path, kind, names, says
):
    log = new_log(kind=kind)
    settings = (log.folder / "log.toml").read_text()
    (tmp_path / "house.toml").write_text(HOUSE.partition("[[")[0])
    (log.folder / "log.toml").write_text(f"{settings}profiles = {names}\n")
    with pytest.raises(Held, match=says) as held:
        Log.open(log.folder)
    assert held.value.state == "config"
    (log.folder / "log.toml").write_text(settings)
