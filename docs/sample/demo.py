"""What `make demo` runs: a refund that an AI assists, to the byte that is refused.

Each step is a command, carried out as anybody would, in a folder that is deleted
in the end; two witnesses and the log run beside each other, as they would elsewhere.
Of what a command says, the lines that matter here are shown, cut to the width of a
screen. The demo exits with 0 only if every step ended as it has to.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent
ROOT = SAMPLE.parents[1]
STORY = "records.jsonl"
WITNESSES = ("w1", "w2")
POLICY = ("--policy", "log/policy.txt")
ANY_PORT = ("--listen", "127.0.0.1:0")
OPERATIONS = ("--operations", "127.0.0.1:0")
SETTINGS = ('targets = ["../public"]', 'reach = ["127.0.0.1"]')
HOLDS, BROKEN = 0, 1
WIDTH = 100
END = 4
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
            tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
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
    assert server.stdout  # noqa: S101 - it is a pipe
    for line in server.stdout:
        if line.startswith("serves"):
            show(line.rstrip())
            return line.split()[1]
    return ""


def show(text: str) -> None:
    """A line of the screen; of one that is too long the end is to be seen, too."""
    cut = f"{text[: WIDTH - 1 - END]}…{text[-END:]}"
    print(text if len(text) <= WIDTH else cut, flush=True)


def say(text: str) -> None:
    """Tell the reader what comes next."""
    show(f"\n# {text}")


def main() -> None:
    """Show a log, and what it is good for."""
    with tempfile.TemporaryDirectory(prefix="provlog-demo-") as folder:
        tell(Demo(folder))


def tell(demo: Demo) -> None:
    """The story."""
    shutil.copy(SAMPLE / "stories" / "refund" / STORY, demo.folder)
    show("# A log begins. Of what is said, the gist.")
    demo.run(
        *("provlog", "init", "log", "--origin", "demo.example/refunds"),
        shows=("log",),
    )
    with ExitStack() as stack:
        say("Two witnesses, who would be other people on other machines, know its key.")
        for number, name in enumerate(WITNESSES, start=1):
            invite(demo, stack, name, quorum=number)
        say("What is published goes to a folder; the witnesses may be asked here.")
        for line in SETTINGS:
            demo.run("sed", "-i", f"$ a {line}", "log/log.toml")
        demo.run("provlog", "export", "log", "public")
        with demo.serving("provlog", "serve", "log", *ANY_PORT, *OPERATIONS) as url:
            log_and_follow(demo, url)
            show("$ kill %3 %2 %1")
    say("All servers are gone. The bundle proves what was decided, the folder has all.")
    demo.run(
        *("provlog", "verify", *POLICY, "agreed.bundle"),
        shows=("quorum", "inclusion"),
    )
    demo.run("provlog", "audit", *POLICY, "public", shows=("tree",))
    say(
        "Now the model is to have been told something else: one byte of one entry. This"
    )
    show("# is refused, and the place is named, from plain files and the policy alone.")
    spoil(demo, "public/tile/entries/000.p/13")
    refusal = demo.run(
        *("provlog", "audit", *POLICY, "public"),
        shows=("entry",),
        expected=BROKEN,
    )
    if "entry       BROKEN  tile/entries/000.p/13, entry 6:" not in refusal:
        sys.exit(f"demo: the audit should have named entry 6:\n{refusal}")
    show("(exit status 1)")


def invite(demo: Demo, stack: ExitStack, name: str, *, quorum: int) -> None:
    """Begin a witness of the log, and have the log's policy ask it."""
    said = demo.run(
        *("provlog", "witness", "init", name, "--name", f"witness.example/{name}")
    )
    policy = (demo.folder / "log" / "policy.txt").read_text(encoding="utf-8")
    key, vkey = word(policy, "log ", 1), word(said, "witness witness.example/", 2)
    demo.run("provlog", "witness", "add", name, key)
    serve = ("provlog", "witness", "serve", name, *ANY_PORT)
    url = stack.enter_context(demo.serving(*serve))
    demo.run(
        *("provlog", "policy", "add-witness", "log", name, vkey),
        *("--url", url, "--quorum", str(quorum)),
        shows=("now",),
    )


def word(text: str, begin: str, number: int) -> str:
    """A word of the first line that begins so."""
    lines = (line for line in text.splitlines() if line.startswith(begin))
    return next(lines).split()[number]


def log_and_follow(demo: Demo, url: str) -> None:
    """Submit the story; follow it back from the money when witnesses have cosigned."""
    say(
        "A customer wants his money: an AI proposes, a rule asks a person, a bank pays."
    )
    demo.run(
        *("provlog", "submit", url, "--lines", STORY, *POLICY),
        shows=("2",),
    )
    say("A second later both witnesses have cosigned. Who agreed to that, seeing what?")
    demo.run(
        *("provlog", "get", url, "9", *POLICY, "--witnessed"),
        *("--out", "agreed.bundle"),
        shows=("entry",),
    )
    demo.run(
        *("provlog", "list", url, *POLICY, "--workflow", "refund-7781"),
        shows=tuple("123456789"),
    )
    told = ("what", "who", "model", "told", "output", "review", "was shown", "link")
    for index in ("6", "9"):
        demo.run("provlog", "show", url, index, *POLICY, shows=told)


def spoil(demo: Demo, name: str) -> None:
    """Change one byte of a file."""
    path = demo.folder / name
    before = path.read_bytes()
    demo.run("sed", "-i", "s/0[.]2/0.9/", name)
    changed = sum(a != b for a, b in zip(before, path.read_bytes(), strict=True))
    if changed != 1:
        sys.exit(f"demo: {changed} bytes were changed, and not one")


if __name__ == "__main__":
    main()
