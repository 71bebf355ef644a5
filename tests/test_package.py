"""The package as a whole: what an import loads, and who may import whom."""

import ast
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
# The only modules that know scikit-learn; all others are numerics.
ESTIMATORS = {
    "__init__",
    "_classifier",
    "_compared",
    "_cross_validated",
    "_display",
    "_estimator",
    "_fit",
    "_posterior",
    "_regressor",
    "_report",
    "_scoring",
    "_search",
    "_selection",
    "_splits",
    "_targets",
    "_validation",
    "_workers",
}


def imports(name, *, at_once=False):
    """Each (module, imported name or None); at_once leaves functions out."""
    waiting = [ast.parse(FILES[name].read_text(encoding="utf-8"))]
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
            found.add(module.removeprefix("skwd."))
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


def test_nothing_optional_is_needed():
    subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT_OPTIONAL], check=True)


@pytest.mark.parametrize("name", FILES)
def test_import_loads_the_dependencies_only(name):
    """Anything else (pandas comes with scikit-learn) waits inside a function."""
    loaded = {module.partition(".")[0] for module, _ in imports(name, at_once=True)}
    assert loaded <= DEPENDENCIES | sys.stdlib_module_names


def test_the_files_are_those_that_are_read_here():
    assert {"_layout", "_network", "_objective", "_lbfgs", "_training"} < FILES.keys()
    assert {"_choice", "_choice.evidence", "_curvature.laplace"} < FILES.keys()
    assert ESTIMATORS <= FILES.keys()
    assert {"_path", "_objective"} < own_imports("_estimator")
    assert {"_path", "_report", "_choice"} < own_imports("_fit")
    assert {"_path", "_curvature.laplace"} < own_imports("_choice.scan")
    assert {"_training", "_objective"} < own_imports("_path")
    assert {"_minimum", "_stochastic"} < own_imports("_training")
    assert {"_lbfgs", "_direct"} < own_imports("_minimum")
    assert ("sklearn.base", "BaseEstimator") in imports("_estimator")


@pytest.mark.parametrize("name", FILES)
def test_no_private_names_of_other_packages(name):
    for module, imported in imports(name):
        package, *parts = [*module.split("."), *([imported] if imported else [])]
        private = [part for part in parts if part.startswith("_")]
        assert package == "skwd" or package == "__future__" or not private, module


@pytest.mark.parametrize("name", sorted(FILES.keys() - ESTIMATORS))
def test_the_core_knows_no_estimator(name):
    assert not own_imports(name) & ESTIMATORS
    assert not [module for module, _ in imports(name) if module.startswith("sklearn")]


def test_imports_have_no_cycle():
    graph = {name: own_imports(name) for name in FILES}
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order[-1] == "__init__"
    assert set(order) == FILES.keys()
