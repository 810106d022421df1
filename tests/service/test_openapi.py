"""The log describes all of itself, and does what the description says."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.callers.issuing import create
from ledger.http.openapi import described
from ledger.http.routes import OPEN, READ, WRITE, Route
from ledger.http.table import table_of
from tests.records import TEXT
from tests.statements import added

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("record", "statement", "opaque")
RECORD = TEXT + b"\n"
CHECKS = "all"
SCOPES = {"submit", "read", "audit", "admin"}


def routes(kind: str) -> tuple[Route, ...]:
    """The routes of a log of this kind, without a log."""
    site: Any = SimpleNamespace(
        charter=SimpleNamespace(kind=kind, origin="log.example/live"),
        reading=None,
        lookup=None,
    )
    return table_of(site).routes


def description(kind: str, *, public: bool = True, open_to_all: bool = False):
    """What a log of this kind says of itself."""
    options = {"public": public, "open_to_all": open_to_all}
    page = described(routes(kind), kind=kind, origin="log.example/live", **options)
    return json.loads(page)


def operations(document):
    """Every operation, with its path."""
    return [
        (path, operation)
        for path, item in document["paths"].items()
        for operation in item.values()
    ]


def schemathesis(service, *options: str) -> tuple[int, str]:
    """Have Schemathesis hold the service against its description."""
    command = (
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        *(f"{service.url}/v1/openapi.json", "--no-color", "--checks", CHECKS),
        *options,
    )
    done = subprocess.run(
        command,
        cwd=service.live.folder.parent,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.service.describing",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def filled(service, **headers: str):
    """The service, once its log has a full tile."""
    lines = b"".join(RECORD % number for number in range(256))
    kind = {"Content_Type": "application/x-ndjson", "Accept": "text/plain"}
    answer = service.post("/v1/records:batch", lines, **kind, **headers)
    assert len(answer.body.splitlines()) == 256
    return service


def ready(live, new_service, **options):
    """A service whose log has entries, and knows who has signed a statement."""
    if live.charter.kind != "opaque":
        with live.open() as log:
            log.register(added())
    service = new_service(live, **options)
    return service if live.charter.kind == "statement" else filled(service)


# What is described


@pytest.mark.parametrize("kind", KINDS)
def test_every_route_says_what_it_costs_what_it_needs_and_how_much_it_reads(kind):
    for route in routes(kind):
        assert route.cost in (READ, WRITE, OPEN)
        assert route.scope in SCOPES
        assert (route.cost == WRITE) == (route.scope in ("submit", "admin"))
        if route.name == "batch":
            assert route.max_body_bytes is None
        else:
            assert isinstance(route.max_body_bytes, int)
            assert (route.max_body_bytes > 0) == (route.cost == WRITE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_route_is_described_with_its_answers(kind):
    document = description(kind)
    for route in routes(kind):
        operation = document["paths"][route.path][route.method.lower()]
        assert operation["operationId"] == route.name
        assert any(status.startswith("2") for status in operation["responses"])
        assert {"400", "401", "500", "503"} < set(operation["responses"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_leads_to_something_and_everything_is_referred_to(kind):
    document = description(kind)
    text = json.dumps(document)
    for reference in set(re.findall(r'"#/([^"]+)"', text)):
        found = document
        for step in reference.split("/"):
            found = found[step]
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_and_its_parameters_name_the_same(kind):
    for path, operation in operations(description(kind)):
        named = [
            each["name"] for each in operation["parameters"] if each["in"] == "path"
        ]
        assert re.findall(r"{(\w+)}", path) == named


def test_only_where_bytes_are_entries_may_a_body_be_left_out():
    def needs_body(kind):
        paths = description(kind)["paths"]
        return {
            path: item["post"]["requestBody"]["required"]
            for path, item in paths.items()
            if "post" in item
        }

    statements = {"/v1/producers": True, "/v1/statements": True}
    records = {"/v1/records": True, "/v1/records:batch": True}
    assert needs_body("record") == records | statements
    assert needs_body("statement") == statements | {"/entries": True}
    assert needs_body("opaque") == {
        "/add": False,
        "/v1/records": False,
        "/v1/records:batch": True,
    }


def test_what_needs_a_token_says_so():
    public, private = description("record"), description("record", public=False)
    tried = description("record", open_to_all=True)

    def needs(document, path):
        (operation,) = document["paths"][path].values()
        return operation["security"]

    assert needs(public, "/checkpoint") == []
    assert needs(private, "/checkpoint") == [{"bearer": ["audit"]}]
    assert needs(public, "/v1/records") == [{"bearer": ["submit"]}]
    assert needs(tried, "/v1/records") == [{"bearer": ["submit"]}, {}]
    assert needs(private, "/v1/problems") == needs(private, "/v1/openapi.json") == []


def test_a_log_serves_its_description(new_service):
    service = new_service()
    served = service.get("/v1/openapi.json")
    assert served.headers["Content-Type"] == "application/json"
    assert set(served.json["paths"]) == {each.path for each in routes("opaque")}


# What is done


BRIEFLY = ("--generation-deterministic", "--phases", "examples,coverage,fuzzing")


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_a_log_does_what_its_description_says(new_log, new_service, kind):
    service = ready(new_log(kind=kind), new_service)
    status, said = schemathesis(service, *BRIEFLY, "--max-examples", "2")
    assert status == 0, said


@pytest.mark.exhaustive
def test_a_log_with_tokens_does_too_and_takes_nobody_without(new_log, new_service):
    live = new_log(kind="record", settings='reads = "token"\n')
    now_ms = time.time_ns() // 1_000_000
    token, _ = create(live.folder, scopes=["submit", "read"], now_ms=now_ms)
    bearer = f"Bearer {token}"
    service = filled(new_service(live), Authorization=bearer)
    status, said = schemathesis(
        service,
        *("--generation-deterministic", "--phases", "examples,fuzzing"),
        *("--max-examples", "2"),
        *("--header", f"Authorization: {bearer}"),
    )
    assert status == 0, said


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_it_does_so_for_as_long_as_one_looks(new_log, new_service, kind):
    service = ready(new_log(kind=kind), new_service, workers=2)
    status, said = schemathesis(
        service, "--max-examples", "500", "--generation-database", "none"
    )
    assert status == 0, said
