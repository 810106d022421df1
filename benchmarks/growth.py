"""How cost grows with a log: submits, proofs, tiles, start-up and memory, served."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from benchmarks.grown import grown_log
from benchmarks.http import serving, shown_size
from benchmarks.peers.servers import resident
from benchmarks.plot import plot
from benchmarks.wrk import ONE, answered

SIZES: Final = (10_000, 1_000_000, 10_000_000)
_PICTURES: Final = Path(__file__).resolve().parents[1] / "docs" / "pictures"


class Cost(NamedTuple):
    """What a log of one size costs."""

    submits: float
    proofs: float
    tiles: float
    started_s: float
    held: int


def run(folder: Path, sizes: tuple[int, ...], rounds: int, seconds: int) -> None:
    """Print what was measured, and draw it."""
    print("growth: entries of 300 bytes, two front ends, wrk beside; medians")
    found = {
        size: _cost(grown_log(folder, size), size, rounds, seconds) for size in sizes
    }
    for size, each in found.items():
        print(
            f"  {size:>10,}  submits {each.submits:>8,.0f}/s  inclusion proofs "
            f"{each.proofs:>8,.0f}/s  tiles {each.tiles:>8,.0f}/s  start-up "
            f"{each.started_s * 1e3:,.0f} ms  held {each.held >> 20} MiB"
        )
    _PICTURES.mkdir(exist_ok=True)
    across = "entries in the log"
    rates = {
        "submits/s, 256 conn.": [(size, each.submits) for size, each in found.items()],
        "proofs/s, 64 conn.": [(size, each.proofs) for size, each in found.items()],
        "tiles/s, 64 conn.": [(size, each.tiles) for size, each in found.items()],
    }
    plot(_PICTURES / "growth-rates.svg", "What a log of a size does", across, rates)
    held = {
        "start-up, ms": [(size, each.started_s * 1e3) for size, each in found.items()],
        "memory held, MiB": [(size, each.held / 2**20) for size, each in found.items()],
    }
    plot(_PICTURES / "growth-weight.svg", "What it costs to have it", across, held)


def _cost(log: Path, size: int, rounds: int, seconds: int) -> Cost:
    submits, proofs, tiles, started, held = [], [], [], [], []
    for _ in range(rounds):
        began = time.perf_counter()
        with serving(log, 2) as (url, process):
            started.append(time.perf_counter() - began)
            prove = _PROOFS % (size, shown_size(url))
            proofs.append(answered(url, prove, 64, seconds))
            tiles.append(answered(url, _TILES % (size // 256), 64, seconds))
            submit = ONE % (300, "/add", "nil")
            submits.append(answered(url, submit, 256, seconds))
            held.append(resident(process.pid))
    return Cost(
        median(submits), median(proofs), median(tiles), median(started), max(held)
    )


_PROOFS: Final = """
function request()
  local path = "/v1/proofs/inclusion/" .. math.random(0, %d - 1) .. "/%d"
  return wrk.format("GET", path)
end
"""
_TILES: Final = """
function request()
  local n = math.random(0, %d - 1)
  local path = string.format("%%03d", n %% 1000)
  if n >= 1000 then path = string.format("x%%03d/", math.floor(n / 1000)) .. path end
  return wrk.format("GET", "/tile/0/" .. path)
end
"""
