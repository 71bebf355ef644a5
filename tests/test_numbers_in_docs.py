"""Numbers in docstrings and the guide are those of the constants, wherever they are."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._alpha import linear_rows
from skwd._core.losses import BINOMIAL, LOSSES, MULTINOMIAL
from skwd._cv import auto, folds, ladder
from skwd._estimators.one_fit import STREAM_ROWS
from skwd._solvers.decay import DECAYS
from skwd._solvers.first_order import PLAN, PLANNED_RATE
from skwd._solvers.minimum import AUTO_WORK

GUIDE = Path(__file__).parent.parent / "examples" / "guide"
TRIED = Path(__file__).parent.parent / "benchmarks" / "constants.py"
C = {name: f"{loss.default_decay:g}" for name, loss in LOSSES.items()}
OF_CLASSES = f"{MULTINOMIAL.default_decay:g}"
DECOUPLED = f"{DECAYS['decoupled'].default_alpha(1.0, 1.0):g}"


def words(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_numbers_in_docstrings(cls):
    text = words(cls.__doc__)
    assert {c for name, c in C.items() if name != "huber"} == {C["squared_error"]}
    assert BINOMIAL.default_decay == MULTINOMIAL.default_decay
    for said in (
        f"parameters are above {AUTO_WORK:.0e}".replace("e+0", "e"),
        f"with c = {C['squared_error']} for losses of numbers, "
        f'{C["huber"]} for "huber" and {OF_CLASSES} for classes',
    ):
        assert said in text, said


@pytest.mark.skipif(not GUIDE.exists(), reason="examples/ is not beside the tests")
def test_numbers_in_the_guide():
    text = words((GUIDE / "choosing_lambda.md").read_text(encoding="utf-8"))
    for said in (
        f"c = {C['squared_error']} for numbers and {OF_CLASSES} for classes, "
        f'{C["huber"]} for "huber"',
        f'a part of at least {STREAM_ROWS:g}; with `decay="decoupled"` the default is '
        f"AdamW's {DECOUPLED}",
        f"of more than {folds.MOST_ROWS:,} rows it takes one split of a random "
        f"{folds.MOST_ROWS:,}",
    ):
        assert said in text, said
    assert linear_rows.POWER == 0.5
    rule = words((GUIDE / "formulas.md").read_text(encoding="utf-8"))
    assert linear_rows.EQUAL == 3e-3 and "within 0.3 % of the lowest" in rule
    assert f"by root(R / {linear_rows.REFERENCE:g})" in rule
    assert f"by {linear_rows.factor_of(0.0):g} at least" in rule
    assert f"with {linear_rows.N_UNITS} further ones" in rule
    assert f"from {linear_rows.LEAST_ROWS:g} rows" in text
    assert f"more than {linear_rows.MOST_COLUMNS} columns" in text
    assert f"by {linear_rows.THEIR_ROWS} rows" in text
    assert (folds.FOLDS, auto.FIRST_FOLDS) == (5, 2)
    assert "on five shuffled folds" in text
    behind = f"{auto.BEHIND:.0%}".replace("%", " %")
    assert f"From {auto.RACE_ROWS:,} rows on two folds judge everything" in text
    assert f"less than {behind} behind the best there" in text
    assert auto.LOOSER == 10.0 and "stop at ten times `tol`" in text
    assert f"or after {auto.MOST_ITERATIONS} iterations of L-BFGS" in text
    assert auto.EQUAL == 1e-3 and "as good, within a thousandth" in text
    gain = f"{ladder.GAIN:.0%}".replace("%", " %")
    assert f"Of fewer than {auto.RACE_ROWS:,} rows parts are taken" in text
    assert f"lower the loss by more than {gain} of what simpler" in text
    text = words((GUIDE / "solvers.md").read_text(encoding="utf-8"))
    assert AUTO_WORK == 5e7 and "is at most 5·10⁷" in text
    assert (
        f"{PLAN['max_iter']} epochs of batches of {PLAN['batch_size']} at a rate that "
        f"falls from {PLANNED_RATE} to 0"
    ) in text


@pytest.mark.skipif(not TRIED.exists(), reason="benchmarks/ is not beside the tests")
def test_constants_that_the_benchmark_changes_are_where_it_says():
    rows = re.findall(r'\("(_[a-z_.]+)", "([A-Z_ ]+)"', TRIED.read_text("utf-8"))
    assert len(rows) > 30
    for place, names in rows:
        module = import_module(f"skwd.{place}")
        code = ast.parse(Path(module.__file__).read_text("utf-8"))
        assigned = [t for node in code.body for t in getattr(node, "targets", [])]
        found = {n.id for t in assigned for n in ast.walk(t) if hasattr(n, "id")}
        assert set(names.split()) <= found, place


@pytest.mark.skipif(not TRIED.exists(), reason="benchmarks/ is not beside the tests")
def test_what_the_benchmarks_import_is_there():
    """From the package, and from each other; other learners need not be installed."""
    n_names = 0
    for path in TRIED.parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            names = {alias.name for alias in node.names}
            if node.module.split(".")[0] == "skwd":
                module, n_names = import_module(node.module), n_names + len(names)
                for name in names - set(vars(module)):
                    import_module(f"{node.module}.{name}")  # one of its files
            elif (beside := TRIED.parent / f"{node.module}.py").exists():
                assert names <= assigned_in(beside), (path.name, node.module)
    assert n_names > 50


def assigned_in(path):
    """The names that a module defines or imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found
