"""Agents that hold keys: OpenSSH's own, and some that no user would have."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder in which the path of a socket is not too long."""
    with tempfile.TemporaryDirectory(prefix="agent") as folder:
        yield Path(folder)


@contextmanager
def ssh_agent() -> Iterator[str]:
    """OpenSSH's agent, which ends with this; its socket."""
    if not all(map(shutil.which, ("ssh-agent", "ssh-add", "ssh-keygen"))):
        pytest.skip("openssh-client is not installed here")
    with short_folder() as folder:
        where = str(folder / "socket")
        line = ["ssh-agent", "-D", "-a", where]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as agent:
            assert agent.stdout
            # It says where it listens when it does.
            assert where in agent.stdout.readline()
            try:
                yield where
            finally:
                agent.terminate()


def new_key(path: Path, *kind: str, comment: str = "a comment") -> Path:
    """A key that ssh-keygen has made at `path`, which is not encrypted."""
    line = ["ssh-keygen", "-q", *kind, "-N", "", "-C", comment, "-f", str(path)]
    subprocess.run(line, check=True, stdin=subprocess.DEVNULL)
    return path


def add(where: str, *words: object) -> None:
    """Give the agent at `where` a key, or something else to do."""
    subprocess.run(
        ["ssh-add", "-q", *map(str, words)],
        check=True,
        env={**os.environ, "SSH_AUTH_SOCK": where},
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def false_agent(answer: Callable[[bytes], bytes | None]) -> Iterator[str]:
    """One that sends what `answer` makes of a request; with None it is silent."""
    ended = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listening.accept()
                with line:
                    size = int.from_bytes(line.recv(4), "big")
                    request = b""
                    while len(request) < size:
                        request += line.recv(size - len(request))
                    said = answer(request)
                    if said is None:
                        ended.wait(20)
                    else:
                        line.sendall(said)

    with short_folder() as folder:
        where = str(folder / "socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(where)
            listening.listen()
            thread = threading.Thread(target=serve)
            thread.start()
            try:
                yield where
            finally:
                ended.set()
                # Whoever waits in accept() is woken by this alone.
                listening.shutdown(socket.SHUT_RDWR)
                thread.join(20)
