"""The house keeps its own rules: sizes, names, doors, reasons, and no address of ours.

The import contracts in pyproject.toml see whole packages; what is finer is here.
"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("verifier", "ledger", "capture", "cli")
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
)

MODULE_LINES = 400
READING_COPY = "verifier/standalone.py"
READING_COPY_LINES = 500
FUNCTION_LINES = 70
COMMIT_NARRATIVE = "ledger/log/sequencer.py"
NAMES_OF_NOTHING = {
    "utils",
    "helpers",
    "common",
    "core",
    "base",
    "misc",
    "manager",
    "service",
}

# What may be imported only here: in this file, or in this folder.
DOORS = {
    "cbor2": ["verifier/cbor.py"],
    "nacl": ["verifier/keys.py", "ledger/keys"],
    "cryptography": [
        "verifier/keys.py",
        "verifier/certificate.py",
        "ledger/keys",
        "ledger/privacy",
    ],
    "click": ["cli"],
    "lmdb": ["ledger/store"],
    "aiohttp.web": ["ledger/http"],
    "prometheus_client": ["ledger/metrics/counts.py"],
}
NETWORK = ["urllib", "http", "socket", "ssl"]
NETWORK_DOOR = "verifier/source.py"
CLOCK_DOOR = "verifier/__main__.py"
CLOCKS = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time|clock_gettime)(_ns)?"
    r"|(datetime\.)?(datetime|date)\.(now|utcnow|today)"
)


def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text())


def imports(module: str) -> Iterator[str]:
    """Every dotted name that `module` imports, wherever the import stands."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_under(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def stands_in(module: str, door: str) -> bool:
    return module in (door, f"{door}.py") or module.startswith(f"{door}/")


def tracked() -> list[Path]:
    """The files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-zco", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout, so no file is tracked")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


# Sizes and names


@pytest.mark.parametrize("module", MODULES)
def test_a_module_can_be_read_in_one_sitting(module):
    limit = READING_COPY_LINES if module == READING_COPY else MODULE_LINES
    assert (ROOT / module).read_text().count("\n") <= limit


@pytest.mark.parametrize("module", MODULES)
def test_a_function_fits_on_a_page(module):
    if module == COMMIT_NARRATIVE:
        return
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    }
    assert not long


def test_no_module_has_a_name_that_says_nothing():
    assert not [
        module
        for module in MODULES
        if any(Path(part).stem in NAMES_OF_NOTHING for part in Path(module).parts)
    ]


# Doors


@pytest.mark.exhaustive
@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library):
    assert not [
        module
        for module in MODULES
        if not any(stands_in(module, door) for door in DOORS[library])
        and any(is_under(name, library) for name in imports(module))
    ]


def test_the_verifier_touches_the_network_in_one_room():
    assert not [
        module
        for module in MODULES
        if stands_in(module, "verifier") and module != NETWORK_DOOR
        for name in imports(module)
        if any(is_under(name, library) for library in NETWORK)
    ]


def test_the_verifier_is_told_the_time():
    assert not [
        (module, clock)
        for module in MODULES
        if stands_in(module, "verifier") and module != CLOCK_DOOR
        for clock in [
            *(
                ast.unparse(n)
                for n in ast.walk(tree(module))
                if isinstance(n, ast.Attribute)
            ),
            *imports(module),
        ]
        if CLOCKS.fullmatch(clock)
    ]


def without_reason(text: str) -> list[str]:
    """The lint exceptions in `text` that have no comment beside or above them."""
    lines, inside, bare, above = text.splitlines(), False, [], ""
    for line in (raw.strip() for raw in lines):
        if inside and line.startswith('"') and "#" not in line + above:
            bare.append(line)
        if line.endswith("= ["):
            inside = line.startswith("ignore =") or '" = [' in line
        elif line.startswith("]"):
            inside = False
        above = line if line.startswith("#") else ""
    return bare


def test_every_lint_exception_has_a_reason():
    text = (ROOT / "pyproject.toml").read_text()
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    codes = sum(map(len, [lint["ignore"], *lint["per-file-ignores"].values()]))
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.mypy]")]
    # One code a line, or the reading above would pass over its neighbours.
    assert len(re.findall(r'^  +"[A-Z]+[0-9]*",', section, re.MULTILINE)) == codes
    assert not without_reason(section)
    assert without_reason('ignore = [\n  "E501",\n]') == ['"E501",']


def test_the_auditors_wheel_asks_for_what_the_whole_asks_for():
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    small = tomllib.loads((ROOT / "verifier/pyproject.toml").read_text())["project"]
    assert small["dependencies"] == whole["dependencies"][:3]
    assert small["version"] == whole["version"]
    assert small["requires-python"] == whole["requires-python"]


def test_every_dependency_has_a_lower_and_an_upper_bound():
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*whole["dependencies"], *whole["optional-dependencies"]["dev"]]
    assert not [line for line in asked if not re.search(r">=[\d.]+,<[\d.]+$", line)]


def test_the_lock_names_exact_versions_and_hashes_and_no_index():
    text = (ROOT / "requirements.lock").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    blocks = re.split(r"\n(?=\S)", "\n".join(lines))
    exact = re.compile(
        r"[a-z0-9-]+==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+"
    )
    assert blocks
    assert not [block.split("\n")[0] for block in blocks if not exact.fullmatch(block)]


# Addresses


def test_no_file_names_a_server_of_others_or_a_path_of_a_build_machine():
    # An index of packages is the user's own choice; nothing here may make it.
    known = r"\S*\.example|localhost|127\.0\.0\.1|www\.apache\.org|semver\.org"
    # Names of types, which happen to look like addresses; nobody asks them anything.
    known += r"|in-toto\.io/(Statement|attestation)|slsa\.dev|www\.w3\.org/2000/svg"
    known += r"|json-schema\.org/draft/2020-12/schema"
    folders = "home|root|Users|work|workspace|builds"
    address = re.compile(
        rf"https?://(?!({known}|keepachangelog\.com)\b)[a-z0-9-]+(\.[a-z0-9-]+)+"
        rf"|--(extra-)?{'index'}-url"
        rf"|(?<![\w.)/}}-])/({folders})/"
    )
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}: {hit[0]}" for hit in address.finditer(text)
        ]
    assert not found


# Vectors


def test_every_folder_of_vectors_says_where_it_comes_from():
    vectors = ROOT / "tests" / "vectors"
    if not vectors.is_dir():
        pytest.skip("this tree keeps no vectors of its own")
    readme = (vectors / "README.md").read_text().splitlines()
    folders = [path.name for path in vectors.iterdir() if path.is_dir()]
    assert not [
        name for name in folders if not any(f"{name}/" in line for line in readme)
    ]
