"""Shell: carries out what a page shows at a prompt, line by line, in one bash.

A line that ends in & stays beside the others, as a server does; it is waited for
until it has said what is shown. Pages speak of the ports that a log and its witnesses
listen at; here free ones are in their place, so that tests can run side by side.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("8421", "8422", "8431", "8432", "8433", "8441")
PATIENCE_S = 30


class Done(NamedTuple):
    """How a line has ended; of one that goes on beside the others, that it began."""

    status: int
    said: str


class Step(NamedTuple):
    """A line at the prompt, or a whole script, with what is shown below it."""

    line: str
    shown: list[str]


def blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """The fenced blocks of a page: what stands behind the fence, and their lines."""
    info: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("```"):
            lines.append(line)
        elif info is None:
            info, lines = line[3:], []
        else:
            yield info, lines
            info, lines = None, []


def steps(text: str) -> list[Step]:
    """All that a page shows at a prompt, in order, and its Python, for `python -c`."""
    found: list[Step] = []
    for info, lines in blocks(text):
        if info == "python":
            found.append(Step(f"python -c {shlex.quote(chr(10).join(lines))}", []))
        for line in lines if not info else ():
            if line.startswith("$ "):
                found.append(Step(line[2:], []))
            else:
                found[-1].shown.append(line)
    return found


def as_pattern(shown: list[str]) -> str:
    """What `shown` stands for: "…" in a line is any text, alone it is any lines."""
    lines = [
        r"(?:.*\n)*"
        if line == "…"
        else ".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in shown
    ]
    return "".join(lines)


class Shell:
    """A bash in `folder`/desk, for somebody who has provlog installed."""

    def __init__(self, folder: Path) -> None:
        self.desk = folder / "desk"
        self.desk.mkdir()
        self._said = folder / "said"
        self._said.mkdir()
        self._count = 0
        self._ports = dict(zip(PORTS, _free_ports(), strict=True))
        _install(folder / "bin")
        self._told, telling = os.pipe()
        self._telling = telling
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=self.desk,
            env=self._environment(folder / "bin"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            pass_fds=[telling],
            start_new_session=True,
            text=True,
        )

    def give(self, step: Step) -> Done:
        """Carry out a line."""
        self._count += 1
        said = self._said / str(self._count)
        assert self._bash.stdin
        line = self._translated(step.line, self._ports)
        beside = step.line.endswith("&")
        # A server's events come at any moment: what it says once is its result.
        errors = shlex.quote(f"{said}.errors") if beside else "&1"
        self._bash.stdin.write(
            f"exec >{shlex.quote(str(said))} 2>{errors}\n"
            f"eval {shlex.quote(line)} </dev/null\n"
            f"echo $? >&{self._telling}\n"
        )
        self._bash.stdin.flush()
        status = int(_line(self._told))
        if beside:
            return Done(status, self._until_said(said, step.shown))
        return Done(status, self._read(said))

    def close(self) -> None:
        """End everything that was begun here."""
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()
        os.close(self._told)
        os.close(self._telling)

    def _until_said(self, said: Path, shown: list[str]) -> str:
        """What a line has said when it is what is shown, or when it is late."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = self._read(said)
            late = time.monotonic() > deadline
            if late or re.fullmatch(as_pattern(shown), found):
                return found
            time.sleep(0.02)

    def _read(self, said: Path) -> str:
        ports = {ours: theirs for theirs, ours in self._ports.items()}
        return self._translated(said.read_text(encoding="utf-8"), ports)

    @staticmethod
    def _translated(text: str, ports: dict[str, str]) -> str:
        for one, other in ports.items():
            text = re.sub(rf"(?<=:){one}\b", other, text)
        return text

    def _environment(self, bin_: Path) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PROVLOG_")}
        listen, operations = (f"127.0.0.1:{self._ports[each]}" for each in PORTS[:2])
        return kept | {
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "PROVLOG_LISTEN": listen,
            "PROVLOG_OPERATIONS": operations,
        }


def carry_out(folder: Path, page: str) -> int:
    """Carry out what a page shows, in `folder`; how many lines that were.

    Each has to end well, and to print what is shown.
    """
    shell = Shell(folder)
    try:
        given = steps(page)
        for step in given:
            done = shell.give(step)
            assert done.status == 0, f"{step.line}\n{done.said}"
            assert re.fullmatch(as_pattern(step.shown), done.said), done.said
        return len(given)
    finally:
        shell.close()


def _install(bin_: Path) -> None:
    bin_.mkdir()
    begin = "from cli.main import run; run()"
    for name, arguments in (("provlog", f"-c '{begin}'"), ("python", "")):
        script = bin_ / name
        command = f"{shlex.quote(sys.executable)} {arguments}"
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o755)


def _free_ports() -> list[str]:
    """Ports at which nobody listens now, as many as pages speak of."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in PORTS]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [str(each.getsockname()[1]) for each in sockets]


def _line(number: int) -> str:
    found = b""
    while not found.endswith(b"\n"):
        if not select.select([number], [], [], PATIENCE_S)[0]:
            raise TimeoutError(f"a line of the page has not ended in {PATIENCE_S} s")
        found += os.read(number, 1)
    return found.decode()
