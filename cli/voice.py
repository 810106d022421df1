"""How we speak: results on stdout, talk on stderr, and three ways to end.

0: it holds, or it is done. 1: it does not hold, or something was refused. 2: it
could not be carried out.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import click

from capture import errors as client
from ledger import events
from ledger.clock import stopwatch
from ledger.errors import Halted, Held, Refused, Unavailable, WrongBytes
from verifier import errors as verifier
from verifier.meter import Meter
from verifier.report import escape

HOLDS: Final = 0
BROKEN: Final = 1
NOT_DONE: Final = 2


def open_streams() -> None:
    """Put something where whoever started us has closed a standard stream.

    Else the next file to be opened gets its number, which may be the store. What
    cannot be read, or said as a result, has to fail; talk may be lost.
    """
    for number, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)
    sys.stdout = sys.stdout or open(1, "w", closefd=False, encoding="ascii")  # noqa: SIM115 - for good
    sys.stderr = sys.stderr or open(2, "w", closefd=False, encoding="ascii")  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, not a traceback.
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def say(text: str) -> None:
    """A line of the result. What came from outside is escaped by the caller."""
    with _saying():
        print(text)


def give(data: bytes) -> None:
    """A result that is a file: byte for byte, whatever the terminal can show."""
    with _saying():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def heard() -> bool:
    """Whether what is said may get to somebody: nobody has stopped reading."""
    try:
        # What we open where they have left waits for nobody, and no shell opens it so.
        return os.get_blocking(sys.stdout.fileno()) or not os.path.samestat(
            os.fstat(sys.stdout.fileno()), os.stat(os.devnull)
        )
    except (OSError, ValueError):
        return True  # it is no file, and somebody has put it there


def fact(name: str, value: object) -> None:
    """A line of the result: what it is about, and what is so."""
    say(f"{name:<11} {escape(str(value))}".rstrip())


def say_json(document: dict[str, Any]) -> None:
    """The result, for programs: one object in one line."""
    text = json.dumps(document, separators=(",", ":"), sort_keys=True)
    # ASCII only, and DEL is the one control character that json lets through.
    say(text.replace("\x7f", "\\u007f"))


def said() -> None:
    """Return when all that was said has left us."""
    with _saying():
        sys.stdout.flush()


def tell(text: str) -> None:
    """A line for the person who waits."""
    # What is told here was said on stdout as well, or by the exit status.
    with suppress(OSError, ValueError):
        print(f"provlog: {escape(text)}", file=sys.stderr, flush=True)


def ended(status: int) -> int:
    """The exit status, which is another one where the result cannot be written."""
    try:
        said()
    except OSError as error:
        tell(f"error: {_told(error)}")
        return NOT_DONE
    return status


@contextmanager
def done(says: str) -> Iterator[None]:
    """Report what was done; where the report fails, say that it was done."""
    try:
        yield
        said()
    except (OSError, KeyboardInterrupt):
        tell(f"only the report is missing: {says}")
        raise


@contextmanager
def _saying() -> Iterator[None]:
    """Say something; who stops reading is no error, and hears no more."""
    try:
        yield
    except BrokenPipeError:
        _leave_stdout()
    except OSError as error:
        _leave_stdout()
        raise OSError(error.errno, error.strerror, "standard output") from None


def _leave_stdout() -> None:
    # Nobody gets it any more, and the interpreter must not try to flush it again.
    with suppress(OSError, ValueError):
        number = os.open(os.devnull, os.O_WRONLY | os.O_NONBLOCK)
        os.dup2(number, sys.stdout.fileno())
        os.close(number)


class _Bytes(Meter):
    """A bar for what has no number of entries yet."""

    def _line(self, now: float, done: int, total: int) -> str:
        return super()._line(now, done, total).replace(" entries,", " bytes,")


@contextmanager
def meter(*, of_bytes: bool = False) -> Iterator[Meter]:
    """A progress bar, which is gone when the work is done."""
    bar = (_Bytes if of_bytes else Meter)(sys.stderr, stopwatch)
    try:
        yield bar
    finally:
        bar.clear()


class _Aloud(logging.Handler):
    """Tells a person what the log writes about itself, from a warning on."""

    def emit(self, record: logging.LogRecord) -> None:
        says = record.getMessage()
        if not says.startswith(f"{events.HELD.name} "):  # which is an error here
            tell(f"{record.levelname.lower()}: {events.explained(says)}")


@contextmanager
def aloud() -> Iterator[None]:
    """Let the log speak for itself while this lasts."""
    logger, handler = logging.getLogger("provlog"), _Aloud(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Lines(logging.Handler):
    """One line for each event: when, how urgent, what; in words if it is urgent."""

    def emit(self, record: logging.LogRecord) -> None:
        when = datetime.fromtimestamp(record.created, UTC)
        time = when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        level, says = record.levelname.lower(), record.getMessage()
        if record.levelno >= logging.WARNING:
            says = events.explained(says)
        with suppress(OSError, ValueError):
            print(f"{time}Z {level:<8} {says}", file=sys.stderr)


@contextmanager
def logging_aloud(*, verbose: bool) -> Iterator[None]:
    """Write each event as a line, for whoever keeps the lines of a service."""
    logger, handler = logging.getLogger("provlog"), _Lines(logging.INFO)
    before = logger.handlers[:], logger.level
    if not verbose:
        handler.addFilter(
            lambda record: (
                not record.getMessage().startswith(f"{events.BATCH_COMMITTED.name} ")
            )
        )
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.handlers[:], level = before
        logger.setLevel(level)


_ENDS: Final = (
    ((Refused, client.Refused), "refused", BROKEN),
    ((verifier.VerificationError, client.NotBelieved), "error", BROKEN),
    (
        (Halted, Unavailable, WrongBytes, verifier.Unavailable, client.ClientError),
        "error",
        NOT_DONE,
    ),
)
"""What ends a command with its own words, and how that counts."""
_PLAIN: Final = tuple(kind for kinds, _, _ in _ENDS for kind in kinds)


@contextmanager
def spoken() -> Iterator[None]:
    """End the process with words when something cannot be done."""
    try:
        yield
    except Held as error:
        tell(f"error: {error.state}: {error}")
        if error.mend:
            tell(f"mend: {error.mend}")
        sys.exit(NOT_DONE)
    except _PLAIN as error:
        for kinds, word, status in _ENDS:
            if isinstance(error, kinds):
                tell(f"{word}: {error}")
                sys.exit(status)
    except click.ClickException as error:
        tell(f"error: {error.format_message()}")
        sys.exit(NOT_DONE)
    except (KeyboardInterrupt, click.Abort):
        tell("interrupted")
        sys.exit(NOT_DONE)
    except OSError as error:
        tell(f"error: {_told(error)}")
        sys.exit(NOT_DONE)
    except Exception as error:  # noqa: BLE001 - status 1 would say that it was refused
        tell(f"error: a fault of this program: {type(error).__name__}: {error}")
        sys.exit(NOT_DONE)


def _told(error: OSError) -> str:
    if error.filename is None:
        return str(error)
    # A file's name may have bytes that are no text.
    name = os.fsdecode(error.filename).encode("utf-8", "backslashreplace").decode()
    return f"{name}: {error.strerror}"
