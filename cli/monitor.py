"""provlog monitor: watch a log, round after round, and tell when something is wrong."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from cli import voice
from cli.arguments import AS_JSON, is_address
from cli.times import moment
from cli.trusted import FINAL, POLICY, TOKEN_FILE, needed, read_token
from ledger.clock import read_clock
from ledger.monitor.alarms import Alarms
from ledger.monitor.matching import Filter, Pattern
from ledger.monitor.rounds import Outcome, Wanted, Watcher, kept_beside, read_own
from ledger.monitor.state import MAX_BYTES, State
from ledger.monitor.telling import Address, Channel, Command
from ledger.publish.webhook import Webhook, read_secret
from verifier.durable import locked
from verifier.errors import Unavailable
from verifier.report import escape, time_text
from verifier.source import Directory, Source, Url

_ASKS: Final = (
    ". It asks for a token with the scope audit or read: give --token-file FILE, or "
    "set PROVLOG_TOKEN"
)
_COUNT: Final = click.IntRange(min=1)


@click.command(
    epilog="""\b
Exit status:
  0  it was stopped; with --once: what was looked at holds
  1  with --once: something does not hold, and the report says what
  2  it could not be carried out

\b
With --json, one object a line. Alarms have event (started, ended or matched), kind,
says, at (s), source and id; a match also origin, index and digest. Each round ends
with event round, holds (null if it could not be carried out), at, size, and findings
as provlog audit has them.

\b
Examples:
  provlog monitor https://log.example --policy policy.txt --state prod.state
  provlog monitor COPY --policy policy.txt --state copy.state --once
  provlog monitor https://log.example --policy policy.txt --state prod.state \\
    --match model.name=gpt-* --tell /usr/local/bin/page-me"""
)
@click.argument("text", metavar="SOURCE")
@POLICY
@click.option(
    "--state",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What was seen, from one round to the next; one file for each log.  "
    "[default: in ~/.local/state/provlog]",
)
@click.option("--once", is_flag=True, help="One round, and its report.")
@click.option(
    "--every",
    type=_COUNT,
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="From the end of a round to the next.",
)
@click.option(
    "--max-age",
    type=_COUNT,
    metavar="SECONDS",
    help="How old the quorum's newest cosignatures may be.",
)
@FINAL
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long the log may not answer before that is told.",
)
@click.option(
    "--reread",
    type=_COUNT,
    default=65_536,
    show_default=True,
    metavar="N",
    help="How many old entries are read again in a round, in turns.",
)
@click.option(
    "--match",
    "patterns",
    multiple=True,
    metavar="PATH=GLOB",
    help="Tell of new entries whose record fits; given again, all have to.",
)
@click.option(
    "--match-text",
    "texts",
    multiple=True,
    metavar="TEXT",
    help="Tell of new entries that have this text in them.",
)
@click.option(
    "--tell",
    "command",
    metavar="COMMAND",
    help="Start this, without a shell, with each alarm as JSON on standard input.",
)
@click.option("--webhook", metavar="URL", help="Post each alarm, signed, to URL.")
@click.option(
    "--secret-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The secret by which a webhook's receiver knows us.",
)
@click.option(
    "--reach",
    multiple=True,
    metavar="ADDRESS",
    help="An address of a private network that --webhook may reach.",
)
@click.option(
    "--allow-extensions",
    is_flag=True,
    help="Accept checkpoints with extension lines, which are not read.",
)
@click.option("--now", metavar="TIME", help="With --once: the time to go by.")
@TOKEN_FILE
@AS_JSON
def monitor(
    text: str,
    policy: Path | None,
    state: Path | None,
    *,
    once: bool,
    every: int,
    **given: Any,
) -> None:
    """Watch the log at SOURCE, an address or an exported folder.

    See that it only grows, that all its entries are there and are what was signed,
    and tell of those that fit. Told is when something begins to be wrong, and when it
    ends. Runs until it is stopped with Ctrl-C, or SIGTERM.
    """
    if given["now"] and not once:
        raise click.UsageError("--now is for one round; give --once, too")
    now = moment(given["now"]) if given["now"] else None
    wanted = Wanted(
        policy=needed(policy),
        max_age_s=given["max_age"],
        final=given["final"],
        extensions=given["allow_extensions"],
        patience_s=given["patience"],
        reread=given["reread"],
        filter=Filter(
            patterns=tuple(map(Pattern.parse, given["patterns"])),
            texts=tuple(each.encode() for each in given["texts"]),
        ),
    )
    channels, as_json = _channels(given), given["as_json"]
    source = _source(text, given["token_file"])
    state = state or _usual_state(text)
    with closing(source), locked(state):
        kept = read_own(kept_beside(state), MAX_BYTES, State.parse) or State()
        alarms = Alarms(
            kept,
            text,
            say=lambda alarm: _say_alarm(alarm, as_json=as_json),
            trouble=lambda says: voice.tell(f"warning: {says}"),
            channels=channels,
        )
        watcher = Watcher(source, wanted, state, kept, alarms)
        if once:
            at = _now() if now is None else now
            _say_once(watcher.round(at), at, as_json=as_json)
        else:
            voice.tell(f"watching {text} every {every} s; state in {state}")
            _run(watcher, every, as_json=as_json)


def _usual_state(text: str) -> Path:
    """Where the state of this log is, for who does not say: the same at each start."""
    where = text if is_address(text) else str(Path(text).resolve())
    usual = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(usual) / "provlog"
    folder.mkdir(0o700, parents=True, exist_ok=True)
    return folder / f"monitor-{sha256(where.encode()).hexdigest()[:16]}"


class _Ended(BaseException):
    """Somebody wants an end. What is on the disk is right at any time."""


@contextmanager
def _until_ended() -> Iterator[None]:
    def end(*_: int | FrameType | None) -> None:
        raise _Ended

    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(each, end) for each in signals]
    try:
        yield
    except _Ended:
        pass
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def _run(watcher: Watcher, every: int, *, as_json: bool) -> None:
    pause, troubled, began = threading.Event(), "", False
    with _until_ended():
        while voice.heard():
            now = _now()
            outcome = watcher.round(now)
            if as_json:
                _say_round(outcome, now)
            elif outcome.size is not None and not began:
                voice.tell(f"size {outcome.size} at {time_text(now)}")
            began = began or outcome.size is not None
            # Told when it starts; that it lasts is an alarm, after --patience.
            if outcome.trouble and not troubled:
                voice.tell(f"warning: {_told(outcome.trouble)}")
            troubled = outcome.trouble
            voice.said()
            pause.wait(every)


def _say_once(outcome: Outcome, now: int, *, as_json: bool) -> None:
    """Say what came of the one round, and end."""
    if as_json:
        _say_round(outcome, now)
    elif outcome.report.findings:
        voice.say(outcome.report.text())
    for each in outcome.report.broken[:1]:
        voice.tell(f"error: {each.check}: {each.says}")
    if outcome.trouble:
        voice.tell(f"error: {_told(outcome.trouble)}")
    if outcome.report.broken or outcome.trouble:
        voice.said()
        status = voice.BROKEN if outcome.report.broken else voice.NOT_DONE
        raise SystemExit(status)


def _say_round(outcome: Outcome, now: int) -> None:
    broken = bool(outcome.report.broken)
    found: dict[str, Any] = {
        "event": "round",
        "at": now,
        "holds": False if broken else None if outcome.trouble else True,
        "findings": [each.document() for each in outcome.report.findings],
    }
    if outcome.size is not None:
        found["size"] = outcome.size
    if outcome.trouble:
        found["error"] = outcome.trouble
    voice.say_json(found)


def _say_alarm(alarm: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        voice.say_json(dict(alarm))
    else:
        words = (time_text(alarm["at"]), alarm["event"], alarm["kind"], alarm["says"])
        voice.say("  ".join(escape(str(each)) for each in words))
    voice.said()


def _channels(given: Mapping[str, Any]) -> list[Channel]:
    channels: list[Channel] = []
    if given["command"] is not None:
        channels.append(Command(given["command"]))
    if bool(given["webhook"]) != bool(given["secret_file"]):
        raise click.UsageError("--webhook and --secret-file need each other")
    if given["webhook"]:
        secret = read_secret(given["secret_file"])
        reach: tuple[str, ...] = given["reach"]
        channels.append(Address(Webhook(given["webhook"], secret, reach=reach)))
    return channels


def _source(text: str, token_file: Path | None) -> Source:
    if is_address(text):
        url = Url(text, read_token(token_file))
        if url.tells_token:
            voice.tell("warning: the token is sent without TLS, for all to read")
        return url
    folder = Path(text)
    if not text or not folder.is_dir():
        raise Unavailable(f"{text!r} is neither a folder nor an http(s) address")
    if (folder / "store").is_dir():
        raise Unavailable(
            f"{text} is a log's own folder; watch its address, or what provlog export "
            "writes"
        )
    return Directory(folder)


def _now() -> int:
    return read_clock().wall_ms // 1000


def _told(trouble: str) -> str:
    return f"{trouble}{_ASKS if 'answered 401;' in trouble else ''}"
