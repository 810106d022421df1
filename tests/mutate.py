"""Change one operator, constant or statement at a time: does a test notice?

    python tests/mutate.py [proof] [cbor] [note] [cosignature]

A suite that survives a changed operator is not yet a suite. Each mutant runs in
a forked child that imports the changed module in place of the real one. What
survives is printed; SURVIVORS.md beside this file explains those that change
nothing that anybody could observe, and they are not counted.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PATIENCE_S = 60
TESTS = {
    "proof": [
        "verifier/test_inclusion.py",
        "verifier/test_consistency.py",
        "verifier/test_subtree.py",
        "attacks/test_proofs.py",
    ],
    "cbor": ["verifier/test_cbor.py"],
    "note": ["verifier/test_note.py", "attacks/test_notes.py"],
    "cosignature": ["verifier/test_cosignature.py", "verifier/test_trust.py"],
}

SWAPS: dict[type[ast.AST], list[type[ast.AST]]] = {
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Add],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.LShift: [ast.RShift],
    ast.RShift: [ast.LShift],
    ast.Mod: [ast.Mult],
}


@dataclass(frozen=True)
class Mutant:
    """A changed module, and what was changed, in words that outlive line numbers."""

    module: str
    says: str
    source: str


class _Replace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed source when the module is imported."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != f"verifier.{self._mutant.module}":
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source, module.__name__, "exec"), module.__dict__)  # noqa: S102 - our own source


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module, once."""
    tree = ast.parse((ROOT / "verifier" / f"{module}.py").read_text())
    _drop_docstrings(tree)
    unread = _never_read(tree)
    for number, node in enumerate(ast.walk(tree)):
        if node in unread:
            continue
        for change in range(8):
            changed = copy.deepcopy(tree)
            twin = list(ast.walk(changed))[number]
            before = _text(twin)
            if not _change(twin, change):
                break
            says = f"{module}.{_owner(tree, node)}: {before} -> {_text(twin)}"
            yield Mutant(module, says, ast.unparse(ast.fix_missing_locations(changed)))


def _change(node: ast.AST, number: int) -> bool:  # noqa: C901, PLR0912 - a table, as code
    """Make change `number` of those that `node` allows."""
    match node:
        case ast.Compare(ops=[op]) if number < len(SWAPS.get(type(op), [])):
            node.ops = [SWAPS[type(op)][number]()]  # type: ignore[list-item]
        case ast.Compare(ops=[first, *rest]) if rest and number == 0:
            node.ops = [SWAPS[type(first)][0](), *rest]  # type: ignore[list-item]
        case ast.Compare(ops=[*rest, last]) if rest and number == 1:
            node.ops = [*rest, SWAPS[type(last)][0]()]  # type: ignore[list-item]
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if number < len(
            SWAPS.get(type(op), [])
        ):
            node.op = SWAPS[type(op)][number]()  # type: ignore[assignment]
        case ast.BoolOp() if number == 0:
            node.op = SWAPS[type(node.op)][0]()  # type: ignore[assignment]
        case ast.UnaryOp(op=ast.Not()) if number == 0:
            node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
        case ast.Constant(value=bool(value)) if number == 0:
            node.value = not value
        case ast.Constant(value=int(value)) if number < 2 and type(value) is int:
            node.value = value + (1, -1)[number]
        case ast.Constant(value=bytes(value)) if number == 0:
            node.value = value + b"~"
        case ast.If() | ast.While() if number < 2:
            node.test = ast.Constant(value=bool(number))
        case ast.Raise() if number == 0:
            node.__class__ = ast.Pass  # type: ignore[assignment]
        case ast.Break() | ast.Continue() if number == 0:
            node.__class__ = ast.Pass  # type: ignore[assignment]
        case ast.Expr(value=ast.Call()) if number == 0:
            node.value = ast.Constant(value=None)
        case _:
            return False
    return True


def _drop_docstrings(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [
                each
                for each in node.body
                if not (
                    isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
                )
            ] or [ast.Pass()]


def _never_read(tree: ast.AST) -> set[ast.AST]:
    """What says nothing about behaviour: annotations, and decorators' options."""
    tops: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            tops += node.decorator_list
        if isinstance(node, ast.FunctionDef):
            tops.append(node.returns)
        if isinstance(node, ast.AnnAssign | ast.arg):
            tops.append(node.annotation)
    return {each for top in tops if top for each in ast.walk(top)}


def _owner(tree: ast.AST, node: ast.AST) -> str:
    """The innermost function or class around `node`."""
    name = "module"
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef | ast.ClassDef) and node in ast.walk(
            outer
        ):
            name = outer.name
    return name


def _text(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node)).partition("\n")[0]


def survives(mutant: Mutant) -> bool:
    """Whether all tests of its module pass with it."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)  # a mutant that loops for ever is killed, too
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        sys.meta_path.insert(0, _Replace(mutant))
        tests = [str(ROOT / "tests" / name) for name in TESTS[mutant.module]]
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not exhaustive"]
        status = 1
        try:
            status = int(pytest.main([*options, f"--rootdir={ROOT}", *tests]))
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def main(names: list[str]) -> int:
    """Print what survives; 1 if anything does that is not explained."""
    explained = (ROOT / "tests" / "SURVIVORS.md").read_text()
    left = 0
    for name in names or list(TESTS):
        found = list(mutants(name))
        if survives(Mutant(name, "", (ROOT / "verifier" / f"{name}.py").read_text())):
            print(f"{name}: {len(found)} mutants", file=sys.stderr)
        else:
            print(f"{name}: the tests fail without any change", file=sys.stderr)
            return 2
        for number, mutant in enumerate(found, start=1):
            print(f"\r{number} of {len(found)} ", end="", file=sys.stderr, flush=True)
            if f"`{mutant.says}`" not in explained and survives(mutant):
                left += 1
                print(f"\nsurvives  {mutant.says}")
        print(file=sys.stderr)
    print(f"{left} survive without an explanation")
    return 1 if left else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
