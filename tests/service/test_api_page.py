"""docs/api.md is true: each example is asked of a real log and answered as it shows."""

import re
import shlex
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.http.table import table_of
from tests.service.standing import standing

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()
EXAMPLE = re.compile(r"^```console(| opaque)\n\$ (.*)\n((?:.*\n)*?)```$", re.MULTILINE)
FILES = re.compile(r"^```file (\S+)\n((?:.*\n)*?)```$", re.MULTILINE)
ADDRESS = "http://127.0.0.1:8421"


def examples(kind):
    """Each command of the page for this kind of log, with what is shown for it."""
    return [
        (command, shown)
        for which, command, shown in EXAMPLE.findall(PAGE)
        if (which == " opaque") == (kind == "opaque")
    ]


def routes():
    """Every route that a log of any kind has."""
    found = {}
    for kind in ("record", "opaque"):
        charter = SimpleNamespace(kind=kind, origin="x")
        site: Any = SimpleNamespace(charter=charter, reading=None, lookup=None)
        found |= {each.name: each for each in table_of(site).routes}
    return found.values()


def curl(service, command):
    """What curl prints that is given this command."""
    name, *words = shlex.split(command)
    assert name == "curl"
    path = words.pop().removeprefix(ADDRESS)
    assert path.startswith("/")
    headers, body, method = {}, None, "GET"
    while words:
        match words.pop(0):
            case "-H":
                header, value = words.pop(0).split(": ")
                headers[header] = value
            case "-d" | "--data-binary":
                method, given = "POST", words.pop(0)
                files = dict(FILES.findall(PAGE))
                body = (files[given[1:]] if given[0] == "@" else given).encode()
            case "-I":
                method = "HEAD"
            case option:
                assert option == "-i"
    got = service.ask(method, path, body, headers)
    lines = [f"HTTP/1.1 {got.status} {HTTPStatus(got.status).phrase}"]
    lines += [f"{header}: {value}" for header, value in got.headers.items()]
    head = "\n".join(lines) + "\n\n"
    shown = re.search(" -[iI] ", command)
    return (head if shown else "") + got.body.decode()


def pattern(shown):
    """What `shown` stands for: … is any text, and any lines where it is alone."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in shown.splitlines()
    ]
    return re.compile("".join(lines).removesuffix(r"\n") + r"\n*")


@pytest.mark.parametrize("kind", ["record", "opaque"])
def test_every_example_is_answered_as_it_shows(tmp_path, kind):
    assert examples(kind)
    settings = "publish_interval_ms = 100\n"
    with standing(tmp_path, kind=kind, settings=settings) as service:
        for command, shown in examples(kind):
            if "/receipts/1 " in f"{command} ":
                service.until(lambda: service.get("/v1/receipts/1").status == 200)
            said = curl(service, command)
            assert pattern(shown).fullmatch(said), f"{command}\n{said}"


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_every_route_has_a_heading_and_an_example(route):
    assert f"\n### {route.method} {route.path}\n" in PAGE
    paths = [shlex.split(command)[-1] for _, command, _ in EXAMPLE.findall(PAGE)]
    matches = [path.removeprefix(ADDRESS) for path in paths]
    assert any(route.pattern().fullmatch(path) for path in matches)


def test_no_heading_is_about_a_route_that_is_not_there():
    named = re.findall(r"^### (\w+ /\S*)$", PAGE, re.MULTILINE)
    assert sorted(named) == sorted(f"{each.method} {each.path}" for each in routes())


def test_a_wrong_example_would_be_noticed():
    assert pattern("a …\n…\nb").fullmatch("a x\ny\nz\nb\n")
    assert not pattern("a …\n…\nb").fullmatch("a x\ny\nz\n")
