"""Telling others: a command of the operator's own, or an address.

A command is started without a shell, so nothing that a log says is ever read as one,
and gets one JSON object on its standard input. Who has not taken an alarm is told it
again; the id of it says that it is the same.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, Final, Protocol

from ledger.errors import Refused
from ledger.outbound import NoAnswer
from ledger.publish.webhook import Webhook

PATIENCE_S: Final = 30.0


class NotTold(Exception):
    """An alarm was not taken; it says by whom, and why."""


class Channel(Protocol):
    """Somebody who is told."""

    def tell(self, alarm: Mapping[str, Any], now: int, /) -> None:
        """Return if it was taken, or raise NotTold."""
        ...


class Command:
    """A program of the operator's, started once for each alarm."""

    def __init__(self, text: str, *, patience_s: float = PATIENCE_S) -> None:
        try:
            self._words = shlex.split(text)
        except ValueError as error:
            raise Refused("tell", f"{text!r} is no command: {error}") from None
        if not self._words:
            raise Refused("tell", "the command that is to be told is empty")
        if not shutil.which(self._words[0]):
            # Else that is found out by the first alarm, and by nobody.
            says = f"there is no program {self._words[0]!r} that can be started"
            raise Refused("tell", says)
        self._patience_s = patience_s

    def tell(self, alarm: Mapping[str, Any], _: int, /) -> None:
        """Give it the alarm."""
        name = self._words[0]
        try:
            ended = subprocess.run(  # noqa: S603 - the operator's words, no shell
                self._words,
                input=json.dumps(alarm).encode() + b"\n",
                stdout=subprocess.DEVNULL,
                check=False,
                timeout=self._patience_s,
            )
        except subprocess.TimeoutExpired:
            says = f"{name} took more than {self._patience_s:g} s and was ended"
            raise NotTold(says) from None
        except OSError as error:
            raise NotTold(f"{name} cannot be started: {error.strerror}") from None
        if ended.returncode:
            raise NotTold(f"{name} ended with status {ended.returncode}")


class Address:
    """An address that is told, and can tell that it was us."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    def tell(self, alarm: Mapping[str, Any], now: int, /) -> None:
        """Post the alarm."""
        try:
            self._webhook.tell(alarm, id=alarm["id"], time_s=now)
        except NoAnswer as error:
            raise NotTold(str(error)) from None
