"""Overload: what a log does that is asked for more than it was made for.

It is set to take 1,000 entries a second, all its processes have 256 MiB together, and
it is offered as much, twice, five times and ten times that. What it takes has to stay
near what it can; what it does not take has to be told when to come again; nothing that
it has acknowledged may be missing.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.http import shown_size
from benchmarks.limited import Limited, limited, unavailable

CAPACITY: Final = 1_000
MEMORY: Final = 256 << 20
TIMES: Final = (1, 2, 5, 10)
_SETTINGS: Final = """\
entries_per_s = %d
burst_ms = 200
pool_entries = 4096
pool_bytes = 8388608
batch_entries = 1024
batch_bytes = 4194304
memory_bytes = 8388608
min_free_bytes = 0
"""
_CONNECTIONS: Final = 200
_SCRIPT: Final = """
local number = 0
local threads = {}
function setup(thread)
  thread:set("tid", number)
  number = number + 1
  table.insert(threads, thread)
end
function init()
  n, told, untold = 0, 0, 0
  acknowledged = {}
  math.randomseed(os.time() + tid * 7919)
  r = math.random(1e9)
  fill = string.rep("x", 300)
end
function delay() return math.random(0, 2 * %d) end
function request()
  n = n + 1
  local body = tid .. "-" .. r .. "-" .. n .. "-"
  return wrk.format("POST", "/add", nil, body .. fill:sub(#body + 1))
end
function response(status, headers, body)
  if status == 200 then
    table.insert(acknowledged, body)
  elseif headers["Retry-After"] then
    told = told + 1
  else
    untold = untold + 1
  end
end
function done()
  local file = io.open("%s", "w")
  local told, untold = 0, 0
  for _, thread in ipairs(threads) do
    told, untold = told + thread:get("told"), untold + thread:get("untold")
    for _, index in ipairs(thread:get("acknowledged")) do file:write(index, "\\n") end
  end
  file:close()
  print("refused " .. told .. " untold " .. untold)
end
"""


class Offered(NamedTuple):
    """What became of a load."""

    offered: float
    taken: float
    indexes: list[int]
    refused: int
    untold: int


def run(folder: Path, seconds: int) -> None:
    """Print what was measured."""
    if why := unavailable() or ("" if shutil.which("wrk") else "wrk is not here"):
        print(f"overload: {why}; nothing measured")
        return
    print(
        f"overload: a log of {CAPACITY:,} entries/s, {MEMORY >> 20} MiB for all of it"
    )
    with limited(MEMORY) as group, overloaded(folder, group) as url:
        acknowledged: set[int] = set()
        for times in TIMES:
            found = offer(url, times * CAPACITY, seconds)
            assert not acknowledged & set(found.indexes), "an index was given twice"
            acknowledged |= set(found.indexes)
            print(
                f"  offered {found.offered:>8,.0f}/s: taken {found.taken:>6,.0f}/s "
                f"({found.taken / min(found.offered, CAPACITY):.0%}), refused "
                f"{found.refused:,} with Retry-After, {found.untold} without; "
                f"{group.private_bytes() >> 20} MiB held"
            )
        size = published(url, max(acknowledged) + 1)
        assert max(acknowledged) < size, "what was acknowledged is not there"
        print(
            f"  {len(acknowledged):,} acknowledged, log of {size:,}; the most that was "
            f"used {group.peak_bytes() >> 20} MiB, file cache included; "
            f"{group.killed()} processes killed"
        )


def offer(url: str, rate: int, seconds: int) -> Offered:
    """Offer about `rate` submissions a second, over many connections."""
    with tempfile.TemporaryDirectory() as name:
        script, answers = Path(name, "load.lua"), Path(name, "acknowledged")
        script.write_text(_SCRIPT % (_CONNECTIONS * 1000 // rate, answers))
        load = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "-s", f"{script}"]
        with subprocess.Popen(
            [*load, url], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            said = process.stdout.read()
        indexes = [int(each) for each in answers.read_text().split()]
    total = re.search(r"(\d+) requests in ([\d.]+)s", said)
    told = re.search(r"refused (\d+) untold (\d+)", said)
    assert total, said
    assert told, said
    took = float(total[2])
    assert len(set(indexes)) == len(indexes), "an index was given twice"
    return Offered(
        int(total[1]) / took,
        len(indexes) / took,
        indexes,
        int(told[1]),
        int(told[2]),
    )


def published(url: str, size: int) -> int:
    """The size of the newest published checkpoint, when it has come to `size`."""
    found = 0
    for _ in range(200):
        found = shown_size(url)
        if found >= size:
            break
        time.sleep(0.05)  # it is published once in a while, and nobody is told
    return found


@contextmanager
def overloaded(folder: Path, group: Limited, capacity: int = CAPACITY) -> Iterator[str]:
    """A service in the control group that takes so many entries/s; its address."""
    log = folder / "overloaded"
    shutil.rmtree(log, ignore_errors=True)
    provlog = [sys.executable, "-m", "cli"]
    made = [*provlog, "init", str(log), "--origin", "log.example/overload"]
    subprocess.run([*made, "--entries", "opaque"], check=True, capture_output=True)
    (log / "log.toml").write_text(_SETTINGS % capacity)
    serve = [*group.wrapper, *provlog, "serve", str(log), "--json", "--workers", "1"]
    places = ["--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0"]
    with subprocess.Popen(
        [*serve, *places], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            shutil.rmtree(log, ignore_errors=True)
