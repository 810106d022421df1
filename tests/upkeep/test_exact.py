"""The same entries under the same key are the same bytes, however they came in."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.keys.keyfile import KeyFile, SigningKey
from ledger.log.log import Log
from ledger.log.look import look
from ledger.publish.export import export
from ledger.upkeep.birth import init, new_charter, new_keys
from tests import receiptline
from tests.testlog import LOG, ORIGIN, TestLog, note
from tests.upkeep.spoil import TIME
from verifier.keys import KeyType

SOME = st.lists(st.binary(max_size=40), min_size=1, max_size=700)


@pytest.fixture
def key():
    return SigningKey(ORIGIN, KeyType.ED25519, LOG.seed)


def made(folder, key, batches):
    """What is public of a log that was given `batches`; and the Ed25519 checkpoint."""
    charter = new_charter(ORIGIN, kind="opaque")
    keys: KeyFile = new_keys(charter, key)
    init(folder / "log", charter, keys)
    (folder / "log/log.toml").write_text("min_free_bytes = 0\n")
    with Log.open(folder / "log") as log:
        for each in batches:
            log.append(each)
        checkpoint = log.checkpoint()
    with look(folder / "log") as seen:
        export(seen, folder / "public", time=TIME)
    return tiles(folder / "public"), checkpoint


def tiles(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("checkpoint")
    }


@pytest.mark.exhaustive
@given(entries=SOME, data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_batches_leave_no_trace(tmp_path_factory, key, entries, data):
    cuts = data.draw(st.sets(st.integers(1, len(entries)), max_size=6), label="cuts")
    edges = [0, *sorted(cuts), len(entries)]
    spans = pairwise(edges)
    batches = [entries[start:stop] for start, stop in spans if start < stop]
    one = made(tmp_path_factory.mktemp("one"), key, [entries])
    many = made(tmp_path_factory.mktemp("many"), key, batches)
    assert one == many
    expected = TestLog(tmp_path_factory.mktemp("expected"), witnesses=(), quorum=0)
    expected.append(*entries)
    files, checkpoint = one
    assert files == tiles(expected.folder)
    text = checkpoint.decode().partition("\n\n")[0] + "\n"
    root = expected.tree.mth(0, len(entries))
    assert expected.checkpoint() == note(text, LOG.line(text))
    line = receiptline.line(LOG, "opaque", root)
    assert checkpoint == note(text, LOG.line(text), line)
