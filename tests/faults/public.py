"""What is outside of a log: witnesses that a test can stop, and what they have seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from click.testing import CliRunner

from cli.main import main
from ledger.keys.witnesskeys import Cosigning, WitnessKeys
from ledger.log.published import NAME as KEPT
from ledger.witness.cosigner import Cosigner
from ledger.witness.known import Known
from tests.livelog import LiveLog
from tests.liveservice import LiveService
from tests.witness.asked import Table
from tests.witness.hostile import Behave, Handler, Witness, send, serving
from verifier.checkpoint import Checkpoint
from verifier.note import Note

QUICK = 'publish_interval_ms = 20\nreach = ["127.0.0.1"]\n'


class Eye:
    """A true witness of `live`; it does not answer while `open` is not set.

    Where `late`, it has cosigned before it waits: what is lost then is its answer.
    """

    def __init__(self, name: str, live: LiveLog) -> None:
        signing = Cosigning(WitnessKeys.generate(f"witness.example/{name}"))
        self.name = name
        self.vkey = signing.verifier_keys()[0].text()
        self._table = Table()
        text = (live.folder / "policy.txt").read_text()
        logs = [each for each in text.splitlines() if each.startswith("log ")]
        path = live.folder.parent / f"{name}-logs.txt"
        path.write_text("\n".join(logs) + "\n")
        known = Known(path, own=signing.verifier_keys())
        self.cosigner = Cosigner(signing, known, self._table)
        self.open, self.reached = threading.Event(), threading.Event()
        self.open.set()
        self.late = False

    def __call__(self, handler: Handler, body: bytes) -> None:
        """Answer as the specification says, as soon as that is wanted."""
        answer = self.cosigner.add(body) if self.late else None
        if not self.open.is_set():
            self.reached.set()
            self.open.wait(30)
        answer = answer or self.cosigner.add(body)
        send(handler, answer.status, answer.body, answer.content_type)

    def seen(self) -> list[bytes]:
        """What it has cosigned last."""
        return list(self._table.rows.values())

    @property
    def size(self) -> int:
        """The size of that."""
        return max((size_of(each) for each in self.seen()), default=0)


@contextmanager
def watched(
    live: LiveLog, *witnesses: tuple[str, str, Behave], quorum: int | str = "all"
) -> Iterator[list[Witness]]:
    """Let these answer, and the policy of `live` ask them: name, key, behaviour."""
    path = live.folder / "policy.txt"
    lines = [each for each in path.read_text().splitlines() if each.startswith("log ")]
    with ExitStack() as stack:
        servers = []
        for name, vkey, behave in witnesses:
            servers.append(stack.enter_context(serving(behave)))
            lines.append(f"witness {name} {vkey} {servers[-1].url}")
        names = " ".join(name for name, _, _ in witnesses)
        lines += [f"group g {quorum} {names}", "quorum g"]
        path.write_text("\n".join(lines) + "\n")
        yield servers


def begin(live: LiveLog, *targets: str) -> None:
    """Export the log to these, as an operator begins a target."""
    for target in targets:
        got = CliRunner().invoke(main, ["export", str(live.folder), target])
        assert got.exit_code == 0, got.output


def size_of(note: bytes) -> int:
    """The size of the tree that a checkpoint is about."""
    return Checkpoint.parse(Note.parse(note).text).size


def kept(live: LiveLog) -> Sequence[bytes]:
    """All checkpoints that are kept as published."""
    path = live.folder / KEPT / "notes"
    data = path.read_bytes() if path.exists() else b""
    rows = (live.folder / KEPT / "sizes").read_bytes() if data else b""
    found, start = [], 0
    for at in range(8, len(rows), 24):
        end = int.from_bytes(rows[at : at + 8])
        found.append(data[start:end])
        start = end
    return found


def gauge(service: LiveService, name: str, label: str = "") -> float:
    """What /metrics says of one number; `label` is part of its labels. -1: nothing."""
    text = service.ask("GET", "/metrics", operations=True).body.decode()
    for line in text.splitlines():
        head, _, value = line.rpartition(" ")
        if head.partition("{")[0] == name and label in head:
            return float(value)
    return -1.0
