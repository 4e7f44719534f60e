"""The rules of the house: who may import whom, and where each library and each door to the system is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "unity_mlops_mcp"
HOUSE = """
    errors config process store jobs spec protocol sandbox codegen builds metrics training evaluation reports registry
    pipeline scheduling upkeep results inputs views kinds operations app compat interfaces __main__
"""
ORDER = HOUSE.split()
ALONE = "trainer_env"
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
ONLY_IN = {
    "subprocess": "process",
    "sqlalchemy": "store",
    "alembic": "store",
    "sqlite3": "store",
    "mcp": "interfaces",
    "typer": "interfaces",
    "rich": "interfaces",
    "starlette": "interfaces",
    "fastapi": "interfaces",
    "uvicorn": "interfaces",
    "prometheus_client": "interfaces",
}
HEAVY = ("numpy", "sqlalchemy", "onnxruntime", "grpc", "tensorboard")


def room(module: Path) -> str:
    """The folder or module directly in the package that a file belongs to."""
    return module.parts[0].removesuffix(".py")


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


@cache
def imports(module: Path) -> frozenset[str]:
    """Full names of all that a file imports, within functions too."""
    names: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = [PACKAGE.name, *module.parts][: -node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return frozenset(names)


def rooms_imported(module: Path) -> set[str]:
    names = [name.split(".") for name in imports(module)]
    return {parts[1] for parts in names if parts[0] == PACKAGE.name and len(parts) > 1 and parts[1] != "__version__"}


def test_every_module_has_its_place() -> None:
    assert {room(module) for module in MODULES} <= {*ORDER, ALONE, "__init__"}


def test_a_module_imports_from_its_own_folder_and_to_its_left() -> None:
    """The trainer's side stands in no order: nothing of ours imports it, and it imports nothing else of ours."""
    left = {name: set(ORDER[: place + 1]) for place, name in enumerate(ORDER)} | {ALONE: {ALONE}, "__init__": set()}
    wrong = {str(module): rooms_imported(module) - left[room(module)] for module in MODULES}
    assert not {module: rooms for module, rooms in wrong.items() if rooms}


def test_a_library_is_used_where_it_belongs() -> None:
    used = {module: {name.split(".")[0] for name in imports(module)} for module in MODULES if room(module) != ALONE}
    wrong = {(str(m), name) for m, names in used.items() for name in names if ONLY_IN.get(name, room(m)) != room(m)}
    assert not wrong


def test_only_the_settings_read_the_environment() -> None:
    doors = {"os.environ", "os.environb", "os.getenv"}
    for module in MODULES:
        if room(module) not in {ALONE, "config"}:
            read = {ast.unparse(node) for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)}
            assert not doors & {*read, *imports(module)}, module


def test_a_package_file_holds_a_docstring_only() -> None:
    for module in (module for module in MODULES if module.name == "__init__.py"):
        docstring, *others = tree(module).body
        assert isinstance(docstring, ast.Expr), module
        assert [ast.unparse(node).split(" = ")[0] for node in others] == ["__version__"] * (len(module.parts) == 1)


@pytest.mark.parametrize("module", ["unity_mlops_mcp.results.models", "unity_mlops_mcp.interfaces.mcp.server"])
def test_what_a_server_imports_before_its_first_answer_is_light(module: str) -> None:
    program = f"import sys, {module}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, cwd=PACKAGE.parent, check=True, capture_output=True, text=True, timeout=60)
    assert not found.stdout.split()
