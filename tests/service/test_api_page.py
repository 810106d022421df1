"""docs/api.md is true: each example is asked of a real log and answered as it shows."""

import re
import shlex
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.http.table import table_of
from tests.capture.live import serving, token_of
from tests.statements import added, sign1

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()
EXAMPLE = re.compile(
    r"^```console(| opaque| statement)\n\$ (.*)\n((?:.*\n)*?)```$", re.MULTILINE
)
FILES = re.compile(r"^```file (\S+)\n((?:.*\n)*?)```$", re.MULTILINE)
RECEIPT = re.compile(r"/v1/receipts/\d+(?= |$)")
ADDRESS = "http://127.0.0.1:8421"
_TOKEN = "$PROVLOG_TOKEN"


def examples(kind):
    """Each command of the page for this kind of log, with what is shown for it."""
    return [
        (command, shown)
        for which, command, shown in EXAMPLE.findall(PAGE)
        if which.strip() == ("" if kind == "record" else kind)
    ]


def routes():
    """Every route that a log of any kind has."""
    found = {}
    for kind in ("record", "statement", "opaque"):
        charter = SimpleNamespace(kind=kind, origin="x")
        site: Any = SimpleNamespace(charter=charter, reading=None, lookup=None)
        found |= {each.name: each for each in table_of(site).routes}
    return found.values()


def curl(service, command):
    """What curl prints that is given this command."""
    if _TOKEN in command:
        # With the first one nobody else may submit any more.
        command = command.replace(_TOKEN, token_of(service, "admin"))
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
                body = file_of(given[1:]) if given[0] == "@" else given.encode()
            case "-I":
                method = "HEAD"
            case "-D" | "-o":
                words.pop(0)
            case option:
                assert option == "-i"
    got = service.ask(method, path, body, headers)
    lines = [f"HTTP/1.1 {got.status} {HTTPStatus(got.status).phrase}"]
    lines += [f"{header}: {value}" for header, value in got.headers.items()]
    head = "\n".join(lines) + "\n\n"
    shown = re.search(" -[iID] ", command)
    said = "" if " -o " in command else got.body.decode()
    return (head if shown else "") + said


def file_of(name):
    """What is in a file of the page; what is no text is not on it."""
    files = {key: text.encode() for key, text in FILES.findall(PAGE)}
    return {"run.cose": sign1(), **files}[name]


def pattern(shown):
    """What `shown` stands for: … is any text, and any lines where it is alone."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in shown.splitlines()
    ]
    return re.compile("".join(lines).removesuffix(r"\n") + r"\n*")


@pytest.mark.parametrize("kind", ["record", "statement", "opaque"])
def test_every_example_is_answered_as_it_shows(tmp_path, kind):
    assert examples(kind)
    settings = "publish_interval_ms = 100\n"
    known = [added()] if kind == "statement" else []
    options = {"kind": kind, "settings": settings, "producers": known}
    with serving(tmp_path, workers=0, **options) as service:
        for command, shown in examples(kind):
            if receipt := RECEIPT.search(command):
                service.until(lambda path=receipt[0]: service.get(path).status == 200)
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
