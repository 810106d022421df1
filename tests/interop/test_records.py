"""Other people's codec writes our records as we do, and gets the same leaves."""

from pathlib import Path

import pytest

from ledger.schema.kinds import KINDS

pytestmark = pytest.mark.interop

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "kinds.json"
CODEC = "github.com/fxamacker/cbor/v2"


def test_a_record_of_each_kind_has_the_same_bytes_and_the_same_leaf(
    stranger, seen, tmp_path
):
    assert stranger("records", VECTORS) == f"{len(KINDS)} records\n"
    text = VECTORS.read_text()
    other = tmp_path / "kinds.json"
    other.write_text(text.replace("refunds-1", "refunds-2", 1))
    assert "other bytes" in stranger.ended("records", other).stderr
    what = "a record of each kind, from JSON to canonical CBOR and its leaf"
    seen(CODEC, what, "the same bytes, the same leaves")
