"""provlog fsck: whether every byte of a log is what it was, and mending what is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from cli import voice
from cli.arguments import AS_JSON, FOLDER
from cli.copying import token_for
from cli.trusted import TOKEN_FILE
from ledger.errors import Held
from ledger.log.states import held
from ledger.upkeep.copies import open_copy
from ledger.upkeep.fsck import NOT_DAMAGE, Checkup, repair
from ledger.upkeep.fsck import fsck as check
from verifier.audit import note_outcome
from verifier.damage import unanswered
from verifier.errors import Unavailable
from verifier.report import Report
from verifier.source import Source


@click.command(
    epilog="""\b
Exit status:
  0  the log is sound
  1  something is damaged; the report says what, and where
  2  it could not be carried out

\b
With --json, one object: holds, check (the first that does not hold), command, size,
findings: check, holds (null: nothing was at stake), says, and what else is known of it
(path, index, identity, mend)."""
)
@FOLDER
@click.option("--repair", "mend", is_flag=True, help="Put right bytes in their place.")
@click.option(
    "--from",
    "copies",
    multiple=True,
    metavar="COPY",
    help="Where right bytes may be: a backup, an exported folder, an http(s) address.",
)
@TOKEN_FILE
@AS_JSON
def fsck(
    folder: Path,
    *,
    mend: bool,
    copies: Sequence[str],
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Check every byte of the log in DIR.

    Hashes all entries, compares all tiles up to the root, and looks at the rows that
    say where an identity stands, the structure of the data file, anchor and key. A
    log that another process writes to is checked up to where it is, not repaired;
    while the structure is looked at, which comes first, nothing can be appended.

    With --repair, what is wrong is replaced by bytes that the root vouches for, from
    the log itself and from every COPY; then all is checked again.
    """
    if copies and not mend:
        raise click.UsageError("--from is for --repair")
    report, size, token = Report(), None, token_for(copies, token_file)
    # A copy that is damaged is no finding about this log.
    with _opened(copies, token) as sources:
        try:
            checkup = _checked(folder)
            if mend and not checkup.sound:
                if not as_json:
                    _say_before(checkup)
                _repair(folder, checkup, sources, report)
                checkup = _checked(folder)
            size = checkup.tree.size
            report.findings += _report(checkup).findings
        except Held as error:
            if error.state != "damaged":
                raise
            # Not even to be opened: that is a finding, and the worst of them.
            report.fails(error.state, str(error), mend=error.mend)
    if as_json:
        voice.say(report.json(command="fsck", size=size))
    else:
        voice.say(report.text())
    if report.broken:
        _tell_mend(folder, report)
        sys.exit(voice.BROKEN)


def _checked(folder: Path) -> Checkup:
    with voice.meter() as bar:
        return check(folder, watch=bar)


@contextmanager
def _opened(copies: Sequence[str], token: str | None) -> Iterator[list[Source]]:
    """The copies, each of which has to be one, also where nothing needs it."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(open_copy(each, token))
            for each in dict.fromkeys(copies)
        ]


def _repair(
    folder: Path, checkup: Checkup, sources: Sequence[Source], report: Report
) -> None:
    for place, whole in repair(folder, checkup, sources):
        what = f"{place} are" if place.startswith("the rows ") else f"{place} is"
        if whole:
            report.holds("repair", f"{what} whole now", path=place)
        else:
            says = f"{what} not whole: nobody has what the root vouches for"
            report.fails("repair", says, path=place)


def _report(checkup: Checkup) -> Report:
    """What was found, in the words of the auditor where it is the auditor's to find."""
    report = Report()
    if not checkup.structure:
        says = "another process writes; the structure of the file was not looked at"
        report.notes("live", says)
    else:
        report.holds("structure", "every page of the data file is in its place")
    try:
        note_outcome(checkup.outcome, checkup.tree.size, report)
    except Unavailable:
        lost = unanswered(checkup.outcome.damage)
        report.fails("tree", lost[-1].says)
    if checkup.head:
        report.fails("head", checkup.head)
    _note_rows(checkup, report)
    for each in checkup.holds:
        if each.state in NOT_DAMAGE:
            report.notes(each.state, str(each), mend=each.mend)
        else:
            report.fails(each.state, str(each), mend=each.mend)
    if not checkup.holds:
        report.holds("anchor", "it has this tree, and it and the key are of this log")
    return report


def _note_rows(checkup: Checkup, report: Report) -> None:
    wrong = [row for row in checkup.rows if row.identity]
    for row in wrong:
        says = f"entry {row.index}, identity {row.identity}: {row.says}"
        report.fails("identity", says, index=row.index, identity=row.identity)
    for row in checkup.rows:
        if not row.identity:
            # Whose the entries are is not in them: nobody can say it again.
            says = f"{row.says}; what has none is logged again, if it comes again"
            report.notes("identity", says)
    if not checkup.rows and not unanswered(checkup.outcome.damage):
        report.holds("identity", "every row leads to the entry that it is about")


def _say_before(checkup: Checkup) -> None:
    voice.say("before the repair:")
    voice.say(_report(checkup).text())
    voice.say("after it:")


def _tell_mend(folder: Path, report: Report) -> None:
    mends = [each.values["mend"] for each in report.broken if each.values.get("mend")]
    for each in dict.fromkeys(mends or [held("damaged", "", folder).mend]):
        voice.tell(f"mend: {each}")
