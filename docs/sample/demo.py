"""What `make demo` runs: a log from its first day to the byte that is refused.

Each step is a command, carried out as anybody would, in a folder that is deleted
in the end. Of what a command says, the lines that matter here are shown, cut to the
width of a screen. The demo exits with 0 only if every step ended as it has to.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent
ROOT = SAMPLE.parents[1]
RECORDS = ("answer.json", "decision.json")
POLICY = ("--policy", "log/policy.txt")
ANY_PORT = ("--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0")
HOLDS, BROKEN = 0, 1
WIDTH = 100
PATIENCE_S = 60


class Demo:
    """The commands of one demo, in a folder of their own."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        # What the reader has set for a log of his own is not meant for this one.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PROVLOG_")}
        self._environment = kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}

    def run(
        self, *words: str, shows: tuple[str, ...] = (), expected: int = HOLDS
    ) -> str:
        """Show a command and those of its lines that begin with one of `shows`."""
        self._prompt(*words)
        done = subprocess.run(  # noqa: S603 - the commands are written below
            self._command(words),
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=PATIENCE_S,
        )
        for line in done.stdout.splitlines():
            if line.startswith(shows):
                show(line)
        if done.returncode != expected:
            ended = f"it ended with exit status {done.returncode}, not {expected}"
            sys.exit(f"demo: {ended}:\n{done.stdout}{done.stderr}")
        return done.stdout

    @contextmanager
    def serving(self, *words: str) -> Iterator[str]:
        """Run a command beside the others, and stop it; its address."""
        self._prompt(*words, "&")
        with (
            open(self.folder / "serve.log", "w+", encoding="utf-8") as errors,
            subprocess.Popen(  # noqa: S603 - likewise
                self._command(words),
                cwd=self.folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
            ) as server,
        ):
            try:
                yield _address(server)
                show("$ kill %1")
            finally:
                server.terminate()
                status = server.wait(PATIENCE_S)
                errors.seek(0)
                said = errors.read()
        if status != HOLDS:
            sys.exit(f"demo: the server ended with exit status {status}:\n{said}")

    def _prompt(self, *words: str) -> None:
        quoted = (word if word == "&" else shlex.quote(word) for word in words)
        show(f"$ {' '.join(quoted)}")

    def _command(self, words: tuple[str, ...]) -> list[str]:
        ours = [sys.executable, "-m", "cli"]
        return [*ours, *words[1:]] if words[0] == "provlog" else list(words)


def _address(server: subprocess.Popen[str]) -> str:
    """Where a server listens, as soon as it says that it does."""
    found = ""
    assert server.stdout  # noqa: S101 - it is a pipe
    for line in server.stdout:
        if line.startswith("serves"):
            show(line.rstrip())
            found = line.split()[1]
        if line.startswith("state"):
            break
    return found


def show(text: str) -> None:
    """A line of the screen."""
    print(text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…", flush=True)


def say(text: str) -> None:
    """Tell the reader what comes next."""
    show(f"\n# {text}")


def main() -> None:
    """Show a log, and what it is good for."""
    with tempfile.TemporaryDirectory(prefix="provlog-demo-") as folder:
        tell(Demo(folder))


def tell(demo: Demo) -> None:
    """The story."""
    for name in RECORDS:
        shutil.copy(SAMPLE / name, demo.folder)
    show("# A log begins, and is served on this machine. Of what is said, the gist.")
    demo.run(
        *("provlog", "init", "log", "--origin", "demo.example/claims"),
        shows=("log", "policy"),
    )
    with demo.serving("provlog", "serve", "log", *ANY_PORT) as url:
        say("What an AI proposed and a person decided. Receipts are verified at once.")
        demo.run(
            *("provlog", "submit", url, *RECORDS, *POLICY, "--out", "."),
            shows=("1", "2"),
        )
        demo.run(
            *("provlog", "inspect", "decision.json.bundle"),
            shows=("entry", "record", "receipt"),
        )
    say("The server is gone. The bundle proves by itself that it was logged, and the")
    show("# whole log can be published, and checked by anybody, from plain files.")
    demo.run(
        *("provlog", "verify", *POLICY, "decision.json.bundle"),
        shows=("log", "quorum", "inclusion", "entry"),
    )
    demo.run("provlog", "export", "log", "public", shows=("size",))
    demo.run("provlog", "audit", *POLICY, "public", shows=("log", "tree"))
    say("Now the model is to have been surer than it was: one byte of one entry.")
    spoil(demo, "public/tile/entries/000.p/3")
    refusal = demo.run(
        *("provlog", "audit", *POLICY, "public"),
        shows=("log", "entry"),
        expected=BROKEN,
    )
    if "entry       BROKEN  tile/entries/000.p/3, entry 2:" not in refusal:
        sys.exit(f"demo: the audit should have named entry 2:\n{refusal}")
    show("(exit status 1)")
    say("It is refused, and the place is named, from plain files and the policy alone.")


def spoil(demo: Demo, name: str) -> None:
    """Change one byte of a file."""
    path = demo.folder / name
    before = path.read_bytes()
    demo.run("sed", "-i", "s/0[.]71/0.91/", name)
    changed = sum(a != b for a, b in zip(before, path.read_bytes(), strict=True))
    if changed != 1:
        sys.exit(f"demo: {changed} bytes were changed, and not one")


if __name__ == "__main__":
    main()
