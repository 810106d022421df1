"""The auditor's command line: python -m verifier verify|audit|monitor|inspect.

The only room that reads a clock, or files that a person names. Results go to
standard output, talk to standard error. Exit status: 0 what was asked holds, 1
it does not and the report says which check, 2 it could not be carried out. No
other status is ever given, whatever happens inside.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from hashlib import file_digest
from pathlib import Path
from typing import Final, TypeVar

from verifier import evidence, memory, policy, progress
from verifier.arguments import VARIABLE, parser
from verifier.audit import audit, note_outcome
from verifier.coseclaim import LEAVES
from verifier.durable import locked, write_atomically
from verifier.errors import FinalError, MalformedError, Unavailable, VerificationError
from verifier.explain import explain
from verifier.memory import Memory
from verifier.meter import Meter
from verifier.monitor import Forked, watch
from verifier.producers import Producers, believed, register
from verifier.receipt.cose import CONSISTENCY, CoseReceipt
from verifier.receipt.line import known_kind
from verifier.receipt.transparent import TransparentStatement
from verifier.report import Report, escape
from verifier.source import Directory, Source, Url, read_checkpoint
from verifier.tile import MAX_ENTRY_BYTES
from verifier.trust import Limits, verify_checkpoint
from verifier.vouch import note_trust

HOLDS: Final = 0
BROKEN: Final = 1
NOT_DONE: Final = 2

_MAX_TOKEN_BYTES: Final = 4_096
_NEEDS_TOKEN: Final = (
    f". It asks for a token with the scope audit or read: give --token-file FILE, or "
    f"set {VARIABLE}"
)

_T = TypeVar("_T")


def main(
    argv: Sequence[str] | None = None,
    *,
    prog: str | None = None,
    hints: Mapping[str, str] | None = None,
) -> int:
    """Carry out one command and return its exit status.

    `hints` are what `prog` has to say to somebody for whom a check does not hold.
    """
    if prog is None:
        called = Path(sys.argv[0]).name
        prog = called if called == "provlog-verify" else "verifier"
    _reopen_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, not a traceback.
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    arguments = parser(prog).parse_args(argv)
    if trouble := _standard_input_trouble(arguments):
        _talk(f"{prog}: error: {trouble}")
        return NOT_DONE
    report = Report()
    trouble = _carry_out(arguments, report)
    status = BROKEN if report.broken else NOT_DONE if trouble else HOLDS
    try:
        _show(report, arguments, trouble, prog)
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_stdout()
    except Exception as error:  # noqa: BLE001 - whoever asked has not got the answer
        _leave_stdout()
        _talk(f"{prog}: error: the report cannot be written: {error}")
        return NOT_DONE
    for each in report.broken[:1]:
        if hints and each.check in hints:
            _talk(f"{prog}: hint: {hints[each.check]}")
    return status


def _standard_input_trouble(arguments: argparse.Namespace) -> str | None:
    given = vars(arguments)
    if "-" in (given.get("state"), given.get("resume")):
        return "what is kept from run to run needs a file of its own, not -"
    named = [*given.values(), *(given.get("producer") or ())]
    if named.count("-") > 1:
        return "standard input can be read once only"
    return None


def _talk(line: str) -> None:
    # What is said here was said on standard output as well, or by the exit status.
    with suppress(OSError, ValueError):
        print(escape(line), file=sys.stderr, flush=True)


def _reopen_closed_streams() -> None:
    # Whoever started us has closed them. What cannot be said on standard output
    # has to fail, so that is opened for reading only; talk may be lost.
    sys.stdout = sys.stdout or open(os.devnull, encoding="ascii")  # noqa: SIM115 - for good
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="ascii")  # noqa: SIM115 - for good


def _leave_stdout() -> None:
    # Nobody reads it any more, and the interpreter must not flush it again.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _carry_out(arguments: argparse.Namespace, report: Report) -> str | None:
    """Fill `report`; return what kept the command from being carried out."""
    commands = {
        "verify": _verify,
        "audit": _audit,
        "monitor": _monitor,
        "inspect": _inspect,
    }
    try:
        commands[arguments.command](arguments, report)
    except VerificationError as error:
        report.fails(error.check, str(error))
    except evidence.EntryNeededError:
        return "this receipt does not contain its entry; give it with --entry FILE"
    except Unavailable as error:
        asked = "answered 401;" in str(error)
        return f"{error}{_NEEDS_TOKEN if asked else ''}"
    except OSError as error:
        says = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        # A file's name may have bytes that are no text.
        return says.encode("utf-8", "backslashreplace").decode()
    except KeyboardInterrupt:
        return "interrupted"
    except Exception as error:  # noqa: BLE001 - status 1 would say that it does not hold
        return f"a fault of this program: {type(error).__name__}: {error}"
    return None


def _show(
    report: Report, arguments: argparse.Namespace, trouble: str | None, prog: str
) -> None:
    if arguments.json:
        values = {"command": arguments.command}
        if trouble:
            values["error"] = trouble
        concluded = not trouble and arguments.command != "inspect"
        print(report.json(concluded=concluded, **values))
    elif report.findings:
        print(report.text())
    for each in report.broken[:1]:
        _talk(f"{prog}: error: {each.check}: {each.says}")
    if trouble:
        _talk(f"{prog}: error: {trouble}")


def _verify(arguments: argparse.Namespace, report: Report) -> None:
    trusted, limits = _trust(arguments)
    entry = artifact = None
    if arguments.entry is not None:
        entry = _read(arguments.entry, MAX_ENTRY_BYTES)
    if arguments.artifact is not None:
        with open(arguments.artifact, "rb") as file:
            artifact = file_digest(file, "sha256").digest()
    producers = None
    if arguments.producer:
        files = {name: _read(name, believed.MAX_BYTES) for name in arguments.producer}
        producers = _producers(files, trusted, arguments.threshold, arguments.entries)
    found = evidence.parse_evidence(_read(arguments.evidence, evidence.MAX_BYTES))
    _check_asked(arguments, found)
    evidence.verify_evidence(
        found,
        trusted,
        limits,
        report,
        entry=entry,
        artifact=artifact,
        kind=arguments.entries,
        misbehaviour=arguments.misbehaviour,
        producers=producers,
        leaf=arguments.leaf,
        first=arguments.first,
    )


def _check_asked(arguments: argparse.Namespace, found: evidence.Evidence) -> None:
    """Return if each option has something to be about: else it would mean nothing."""
    grown = isinstance(found, CoseReceipt) and found.kind == CONSISTENCY
    if arguments.threshold != 1 and not arguments.producer:
        raise Unavailable("--threshold counts the keys of --producer; name them")
    if arguments.first is not None and not grown:
        raise Unavailable("--from is for a COSE receipt of growth, and this is none")
    if arguments.first is None and grown:
        raise Unavailable(
            "it is a COSE receipt of growth: say from which tree, that you believed "
            "before (--from SIZE:ROOT)"
        )
    about = not grown and isinstance(found, CoseReceipt | TransparentStatement)
    if arguments.leaf != LEAVES[0] and not about:
        raise Unavailable("--leaf is for COSE receipts of entries, and this is none")


def _producers(
    files: Mapping[str, bytes], trusted: policy.Policy, threshold: int, kind: str
) -> Producers:
    """Whom the caller believes: what is wrong with his files proves nothing."""
    try:
        return believed.believed_producers(
            files, trusted, threshold=threshold, kind=kind
        )
    except VerificationError as error:
        raise Unavailable(f"{', '.join(files)}: {error}") from None


def _audit(arguments: argparse.Namespace, report: Report) -> None:
    with closing(_source(arguments)) as source:
        _audit_source(source, arguments, report)


def _audit_source(
    source: Source, arguments: argparse.Namespace, report: Report
) -> None:
    trusted, limits = _trust(arguments)
    if arguments.checkpoint is None:
        note = read_checkpoint(source)
    else:
        data = _read(arguments.checkpoint, evidence.MAX_BYTES)
        note = evidence.checkpoint_in(data)
    signed = verify_checkpoint(note, trusted, limits)
    note_trust(signed, trusted, limits, report)
    checkpoint = signed.checkpoint
    if limits.final and checkpoint.size != limits.final[0]:
        raise FinalError(
            f"the log ended at size {limits.final[0]}; "
            f"this copy stops at {checkpoint.size}"
        )
    resume = None if arguments.resume is None else Path(arguments.resume)
    kept = None
    if resume and os.path.lexists(resume):
        kept = _own(resume, progress.MAX_BYTES, bytes)
    meter = Meter(sys.stderr, time.monotonic)
    try:
        outcome = audit(
            source,
            checkpoint,
            kind=known_kind(arguments.entries, note, trusted.logs),
            strict=arguments.strict,
            processes=arguments.processes,
            keep=(lambda data: write_atomically(resume, data)) if resume else None,
            kept=kept,
            watch=meter,
        )
    finally:
        meter.clear()
    note_outcome(outcome, checkpoint.size, report)


def _monitor(arguments: argparse.Namespace, report: Report) -> None:
    trusted, limits = _trust(arguments)
    state = Path(arguments.state)
    now = int(time.time()) if arguments.now is None else arguments.now
    with locked(state), closing(_source(arguments)) as source:
        remembered = Memory()
        if os.path.lexists(state):
            remembered = _own(state, memory.MAX_BYTES, Memory.parse)
        try:
            watch(
                source,
                trusted,
                remembered,
                report,
                now=now,
                limits=limits,
                keep=lambda kept: write_atomically(state, kept.encode()),
            )
        except Forked as fork:
            _keep_proof(state, fork, report)
            raise


def _keep_proof(state: Path, fork: Forked, report: Report) -> None:
    proof = state.with_name(f"{state.name}.misbehaviour")
    try:
        write_atomically(proof, fork.misbehaviour.encode())
        report.notes("proof", f"{proof} proves it to anybody", path=str(proof))
    except Unavailable as error:
        report.notes("proof", f"it could not be kept: {error}")


def _inspect(arguments: argparse.Namespace, report: Report) -> None:
    explain(_read(arguments.evidence, register.MAX_BYTES), report)


def _trust(arguments: argparse.Namespace) -> tuple[policy.Policy, Limits]:
    trusted = _own(arguments.policy, policy.MAX_BYTES, policy.Policy.parse)
    now = arguments.now
    if now is None and (
        arguments.max_age is not None or arguments.command == "monitor"
    ):
        now = int(time.time())
    return trusted, Limits(
        now=now,
        max_age_s=arguments.max_age,
        final=arguments.final,
        extensions=arguments.allow_extensions,
    )


def _source(arguments: argparse.Namespace) -> Source:
    text = arguments.source
    if not text:
        raise Unavailable("SOURCE is empty; give a folder or an http(s) address")
    if text.startswith(("http://", "https://")):
        url = Url(text, _token(arguments.token_file))
        if url.tells_token:
            _talk("warning: the token is sent without TLS, for all to read")
        return url
    folder = Path(text)
    if not folder.is_dir():
        raise Unavailable(f"{text} is neither a folder nor an http(s) address")
    return Directory(folder)


def _token(path: str | None) -> str | None:
    """What a log asks of those who read it, where it is not public."""
    where = VARIABLE if path is None else path
    if path is None:
        text = os.environ.get(VARIABLE, "")
    else:
        text = _read(path, _MAX_TOKEN_BYTES).decode("ascii", "replace").strip()
    if path is None and not text:
        return None
    # Anything else would end a header's line, or be no header at all.
    if not re.fullmatch("[!-~]+", text):
        raise Unavailable(f"{where} has no token, which is one word in one line")
    return text


def _own(path: str | Path, most: int, parse: Callable[[bytes], _T]) -> _T:
    """Read a file of the caller's own: what is wrong with it proves nothing."""
    try:
        return parse(_read(path, most))
    except MalformedError as error:
        raise Unavailable(f"{path}: {error}") from None


def _read(path: str | Path, most: int) -> bytes:
    """The bytes of a file that a person named; it may be a pipe."""
    if str(path) == "-":
        data = sys.stdin.buffer.read(most + 1)
    else:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    if len(data) > most:
        raise MalformedError(
            f"{path} has more than {most} bytes, which is the most that is read"
        )
    return data


if __name__ == "__main__":
    sys.exit(main())
