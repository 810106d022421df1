"""What a package lists is there when it is asked for, and costs nothing before."""

import subprocess
import sys

import pytest

import capture
import verifier


@pytest.mark.parametrize("package", [verifier, capture], ids=["verifier", "capture"])
def test_every_name_that_is_listed_is_there(package):
    assert {*package.__all__, "__doc__"} <= {*dir(package)}
    for name in package.__all__:
        assert getattr(package, name).__name__ == name


@pytest.mark.parametrize("package", [verifier, capture], ids=["verifier", "capture"])
def test_no_other_name_is(package):
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no"):
        _ = package.nothing
    with pytest.raises(ImportError):
        exec(f"from {package.__name__} import nothing")  # noqa: S102


@pytest.mark.parametrize("word", ["Entry", "hashing", "*"])
def test_names_are_imported_as_from_any_package(word):
    found = {}
    exec(f"from verifier import {word}", found)  # noqa: S102
    assert "Entry" in found or word in found


def test_whoever_asks_for_little_does_not_read_what_an_audit_needs():
    asked = "import sys, verifier; verifier.leaf_hash(b''); print(*sys.modules)"
    read = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "verifier.hashing" in read
    assert not {"verifier.audit", "verifier.keys", "cryptography"} & {*read}
