"""How long it takes from a submission to a proof that anybody can verify.

Ours answers with it. The peer answers with an index; there is a proof as soon as a
published checkpoint covers it, out of tiles that are public then. So its reader looks
at the checkpoint every 10 milliseconds, which flatters it: no proof is made.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.http import percentiles_text, timed
from benchmarks.peers.servers import Server, ours, theirs
from benchmarks.wrk import ONE, wrk
from capture import Client

_LOOK_S: Final = 0.01


def run(folder: Path, rounds: int, seconds: int) -> None:
    """Print what was measured, beside half of what each can take."""
    print("submit to verifiable proof, one client beside about half of the load")
    for name, begin, client in (
        ("ours", ours, _our_client),
        ("tessera", theirs, _their_client),
    ):
        taken: list[float] = []
        rates = []
        for _ in range(rounds):
            with begin(folder) as server:
                most = wrk(server.url, ONE % (300, "/add", "nil"), 256, seconds).rate
                found, rate = _beside(server, client(server, folder), most / 2, seconds)
                taken += found
                rates.append(rate)
        beside = sum(rates) / len(rates)
        print(f"  {name:<8} {percentiles_text(taken)}, beside {beside:,.0f}/s")


def _beside(
    server: Server, submit: Callable[[bytes], None], rate: float, seconds: int
) -> tuple[list[float], float]:
    # wrk has no rate of its own: each of its connections waits between two requests.
    connections = 256
    pause = 1_000 * connections / rate
    script = ONE % (300, "/add", "nil") + f"\nfunction delay() return {pause:.0f} end\n"
    with timed(submit) as taken:
        load = wrk(server.url, script, connections, seconds)
    return taken, load.rate


def _our_client(server: Server, folder: Path) -> Callable[[bytes], None]:
    client = Client(server.url, None, folder / "served" / "policy.txt")

    def submit(data: bytes) -> None:
        client.submit(data)  # returns what it has verified

    return submit


def _their_client(server: Server, _: Path) -> Callable[[bytes], None]:
    parts = urlsplit(server.url)
    wire = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def ask(method: str, path: str, body: bytes | None = None) -> bytes:
        wire.request(method, path, body)
        return wire.getresponse().read()

    def submit(data: bytes) -> None:
        index = int(ask("POST", "/add", data))
        while int(ask("GET", "/checkpoint").split(b"\n")[1]) <= index:
            time.sleep(_LOOK_S)  # the peer tells nobody when it has published

    return submit
