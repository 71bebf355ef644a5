"""The package as a whole: what an import loads, and who may import whom."""

import ast
import functools
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import skwd

ROOT = Path(skwd.__file__).parent
# By their names as modules, without "skwd.", and a folder by that of its __init__.
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}
# joblib and threadpoolctl come with scikit-learn.
DEPENDENCIES = {"numpy", "scipy", "sklearn", "joblib", "threadpoolctl", "skwd"}
# The rooms, top to bottom: imports go down this list only.
ROOMS = [
    "display",
    "_estimators",
    "_cv",
    "_alpha",
    "_curvature",
    "_solvers",
    "_data",
    "_core",
]
# The rooms that may know scikit-learn; all others are numerics.
KNOW_SCIKIT_LEARN = {"__init__", "display", "_estimators", "_cv"}


def room(name):
    return name.partition(".")[0]


@functools.cache
def parsed(name):
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def imports(name, *, at_once=False):
    """Each (module, imported name or None); at_once leaves functions out."""
    waiting = [parsed(name)]
    while waiting:
        node = waiting.pop()
        if not (at_once and isinstance(node, ast.FunctionDef)):
            waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            for alias in node.names:
                yield node.module, alias.name


def own_imports(name):
    """The files of the package that a file imports."""
    found = set()
    for module, imported in imports(name):
        if module == "skwd":
            found.add(imported if imported in FILES else "__init__")
        elif module.startswith("skwd."):
            folder = module.removeprefix("skwd.")
            file = f"{folder}.{imported}"
            found.add(file if file in FILES else folder)
    return found


WITHOUT_OPTIONAL = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ("matplotlib", "pandas", "torch"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from skwd import WeightDecayMLPRegressor

WeightDecayMLPRegressor(hidden_layer_sizes=()).fit([[0], [1]], [0, 1]).predict([[2]])
"""


@pytest.mark.slow
def test_nothing_optional_is_needed():
    subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT_OPTIONAL], check=True)


@pytest.mark.parametrize("name", FILES)
def test_import_loads_the_dependencies_only(name):
    """Anything else (pandas comes with scikit-learn) waits inside a function."""
    loaded = {module.partition(".")[0] for module, _ in imports(name, at_once=True)}
    assert loaded <= DEPENDENCIES | sys.stdlib_module_names


def test_the_files_are_those_that_are_read_here():
    assert {room(name) for name in FILES} == {"__init__", *ROOMS}
    assert {"_core.layout", "_solvers.lbfgs", "_alpha.evidence"} < FILES.keys()
    assert {"_solvers.task", "_core.objective"} < own_imports("_alpha.choice")
    assert {"_cv.ways", "_alpha.choice"} < own_imports("_estimators.one_fit")
    assert {"_solvers.lbfgs", "_solvers.direct"} < own_imports("_solvers.minimum")
    assert ("sklearn.base", "BaseEstimator") in imports("_estimators.base")


@pytest.mark.parametrize("name", FILES)
def test_no_private_names_of_other_packages(name):
    for module, imported in imports(name):
        package, *parts = [*module.split("."), *([imported] if imported else [])]
        private = [part for part in parts if part.startswith("_")]
        assert package == "skwd" or package == "__future__" or not private, module


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"__init__"}))
def test_imports_go_down(name):
    """Through the rooms of the package, and scikit-learn is known at the top alone."""
    for imported in own_imports(name):
        assert ROOMS.index(room(imported)) >= ROOMS.index(room(name)), imported
    if room(name) not in KNOW_SCIKIT_LEARN:
        assert not any(module.startswith("sklearn") for module, _ in imports(name))


@pytest.mark.parametrize("room_name", ["__init__", *ROOMS])
def test_files_are_short_and_say_what_they_are_for(room_name):
    for name, path in FILES.items():
        if room(name) == room_name:
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, name
            assert ast.get_docstring(parsed(name)), name


def test_imports_have_no_cycle():
    graph = {name: own_imports(name) for name in FILES}
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order[-1] == "__init__"
    assert set(order) == FILES.keys()
