"""What `make demo` runs: the sample evidence is checked, spoiled, and refused.

Each step is a command of the auditor, run as anybody would run it. The demo
exits with 0 only if every one of them ended as it has to.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = "docs/sample"
POLICY = ["--policy", f"{SAMPLE}/policy.txt"]
BUNDLE = f"{SAMPLE}/record.bundle"
HOLDS, BROKEN = 0, 1


def say(text: str) -> None:
    """Tell the reader what comes next."""
    print(f"\n# {text}\n", flush=True)


def run(*arguments: str, expected: int) -> str:
    """Show a command of the verifier at work; return what it said of trouble."""
    print(f"$ {shlex.join(['python', '-m', 'verifier', *arguments])}", flush=True)
    done = subprocess.run(  # noqa: S603 - the commands are written below
        [sys.executable, "-m", "verifier", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    print(done.stdout + done.stderr, end="")
    print(f"(exit status {done.returncode})", flush=True)
    if done.returncode != expected:
        sys.exit(f"demo: this should have ended with exit status {expected}")
    return done.stderr


def spoil(folder: str) -> str:
    """A copy of the bundle in which one byte of the entry is another one."""
    document = json.loads((ROOT / BUNDLE).read_text(encoding="utf-8"))
    entry = base64.b64decode(document["entry"])
    better = entry.replace(b"0.71", b"0.91")
    changed = sum(a != b for a, b in zip(entry, better, strict=True))
    if changed != 1:
        sys.exit(f"demo: {changed} bytes were changed, and not one")
    document["entry"] = base64.b64encode(better).decode()
    path = Path(folder, "spoiled.bundle")
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def main() -> None:
    """Show what holds, and what does not."""
    say("What a bundle says: the record of a fine-tuned model. Nothing is checked yet.")
    run("inspect", BUNDLE, expected=HOLDS)

    say("Does it hold, and does it describe this file? Offline, under our own policy.")
    weights = ["--artifact", f"{SAMPLE}/weights.bin"]
    run("verify", *POLICY, *weights, BUNDLE, expected=HOLDS)

    say("The whole log that it is from: every entry, every tile, the root.")
    run("audit", *POLICY, f"{SAMPLE}/log", expected=HOLDS)

    say("A copy of the bundle, in which the model's score is 0.91 and no longer 0.71.")
    with tempfile.TemporaryDirectory() as folder:
        refusal = run("verify", *POLICY, spoil(folder), expected=BROKEN)
    if "error: inclusion" not in refusal:
        sys.exit("demo: the check that broke should have been: inclusion")

    say(
        "One changed byte was refused, by a check that needed neither the log's server "
        "nor trust in its operator."
    )


if __name__ == "__main__":
    main()
