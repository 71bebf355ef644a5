"""The documentation runs: README blocks, examples, docstrings; its links exist."""

import ast
import doctest
import importlib.metadata
import importlib.util
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skwd

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
EXAMPLES = ROOT / "examples"
ESTIMATORS = [name for name in skwd.__all__ if name.startswith("WeightDecayMLP")]
DISPLAYS = [name for name in skwd.__all__ if name.endswith("Display")]
MODULES = [module.name for module in pkgutil.walk_packages(skwd.__path__, "skwd.")]

needs_readme = pytest.mark.skipif(
    not README.exists(), reason="README.md is not beside the tests"
)
needs_examples = pytest.mark.skipif(
    not EXAMPLES.exists(), reason="examples/ is not beside the tests"
)


GUIDE = sorted(ROOT.glob("examples/guide/*.md"))
OTHERS = ["examples/README.md", "benchmarks/README.md"]
OTHERS += [".github/CONTRIBUTING.md", ".github/SECURITY.md"]
PAGES = [README, *GUIDE, *(ROOT / name for name in OTHERS)]


def blocks_of(path):
    """Its ```python blocks, as matches, and its text."""
    text = path.read_text(encoding="utf-8")
    pattern = r"^```python\n(.*?)^```$"
    return list(re.finditer(pattern, text, re.DOTALL | re.MULTILINE)), text


@pytest.mark.slow
@needs_readme
@pytest.mark.parametrize("path", [README, *GUIDE], ids=lambda path: path.name)
def test_code_in_the_documentation_runs(path):
    """All ```python blocks of a page, in order, in one namespace."""
    blocks, text = blocks_of(path)
    namespace = {"__name__": "page"}
    for block in blocks:
        # Empty lines first: a traceback then names the line of the page.
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block[1], str(path), "exec"), namespace)


@needs_readme
def test_pages_have_code_and_the_readme_is_short():
    assert len(GUIDE) >= 9
    assert sum(len(blocks_of(path)[0]) for path in [README, *GUIDE]) >= 25
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


@needs_readme
@pytest.mark.parametrize(
    "path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_links_exist(path):
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    local = [target.partition("#") for target in targets if "://" not in target]
    missing = [
        target for target, *_ in local if target and not (path.parent / target).exists()
    ]
    assert missing == []
    anchors = [(target, anchor) for target, _, anchor in local if anchor]
    for target, anchor in anchors:
        text = (path.parent / target).read_text(encoding="utf-8") if target else ""
        text = text or path.read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
        assert anchor in slugs, (target, anchor)


@needs_examples
def test_every_public_name_has_a_page():
    """In the API of the site; and every page of the guide is in its list."""
    pages = (EXAMPLES / "guide/api.rst").read_text(encoding="utf-8").split()
    assert {name for name in skwd.__all__ if name[0] != "_"} - set(pages) == set()
    listed = (EXAMPLES / "guide/README.md").read_text(encoding="utf-8")
    unlisted = [path.name for path in GUIDE if f"({path.name})" not in listed]
    assert unlisted == ["README.md", "index.md"]


def sentences_of_warnings():
    """What each call that warns has to say, its numbers left out."""
    for path in Path(skwd.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(call, "func", None), "id", "")
            if name in ("warn", "warn_of_late_training") and call.args:
                parts = [n.value for n in ast.walk(call) if isinstance(n, ast.Constant)]
                text = "".join(part for part in parts if isinstance(part, str))
                if text:
                    yield f"{path.name}:{call.lineno}", text


@needs_examples
def test_every_warning_has_its_line():
    """In the page of warnings: some phrase of it, in code, is in the warning."""
    page = (EXAMPLES / "guide/warnings.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]
    codes = [code for row in rows for code in re.findall(r"`([^`]+)`", row)]
    phrases = [part.strip() for code in codes for part in code.split("…")]
    phrases = [part for part in phrases if len(part) > 8]
    found = dict(sentences_of_warnings())
    assert len(found) >= 15 and len(phrases) >= 20
    assert [
        place
        for place, text in found.items()
        if not any(phrase in text for phrase in phrases)
    ] == []


def run_example(*command, cache):
    """What an example prints; it says nothing on its other stream."""
    name, *arguments = command
    run = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        env={**os.environ, "MPLBACKEND": "Agg", "MPLCONFIGDIR": str(cache)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return run.stdout


def assert_drawn(picture, printed):
    """There is a picture, or the word that matplotlib is needed for it."""
    if importlib.util.find_spec("matplotlib") is None:
        assert "it needs matplotlib" in printed
    else:
        assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@needs_examples
def test_choose_lambda(tmp_path):
    """Two tables with the best lambda inside the grid, a picture, what it has brought.

    scikit-learn's network, at the same objective, has the same error. SKWD_MAIN_JOB
    names a folder in which the README's command has been run, which is not run again.
    """
    if done := os.environ.get("SKWD_MAIN_JOB"):
        picture = Path(done, "choose_lambda.png")
        printed = Path(done, "printed.txt").read_text(encoding="utf-8")
    else:
        picture = tmp_path / "picture.png"
        printed = run_example("choose_lambda.py", "--output", picture, cache=tmp_path)
    tables = printed.split("\n\n")[:2]
    for table, title in zip(tables, ("diabetes", "breast cancer")):
        heading, _, *rows, last = table.strip().splitlines()
        assert title in heading and "to compare" in last
        best = [i for i, row in enumerate(rows) if row.endswith("<- best")]
        assert len(best) == 1
        assert 0 < best[0] < len(rows) - 1
        train = [float(row.split()[1]) for row in rows]
        assert train == sorted(train)  # the more decay, the worse the fit
    *_, first, second = printed.strip().splitlines()
    for line in (first, second):
        ours, none, theirs = map(
            float, re.findall(r"(?:log-loss|RMSE|of|:) ([\d.]+)\b", line)[:3]
        )
        assert ours < 0.9 * none and abs(ours - theirs) < 0.05 * theirs
    assert_drawn(picture, printed)


@pytest.mark.slow
@needs_examples
def test_lambda_without_a_grid(tmp_path):
    """Three tables whose ways agree, the CV form with GridSearchCV to the last."""
    picture = tmp_path / "picture.png"
    printed = run_example(
        "lambda_without_a_grid.py",
        *("--output", picture, "--splits", "2"),
        cache=tmp_path,
    )
    tables = printed.split("\n\n")[:3]
    for table, title in zip(tables, ("diabetes", "breast cancer", "wine")):
        heading, _, *rows = table.strip().splitlines()
        assert heading.startswith(title)
        ways = {
            way: list(map(float, figures)) for way, *figures in map(str.split, rows)
        }
        named = [way for way in ways if way.startswith("alpha=")]
        assert len(named) == (3 if title == "diabetes" else 2)
        *_, cv_estimator, grid = ways.values()
        assert ways.keys() - named == {list(ways)[-2], "GridSearchCV"}
        assert cv_estimator[:3] == pytest.approx(grid[:3], rel=0.03)
        for way in named:
            alpha, error, log_likelihood, _ = ways[way]
            assert 1e-4 < alpha < 0.1
            assert error < 1.2 * grid[1]
            # Of two splits, and networks of one start: other BLAS, other minima.
            assert log_likelihood > grid[2] - 0.1
    assert_drawn(picture, printed)


@pytest.mark.slow
@needs_examples
def test_coupled_or_decoupled(tmp_path):
    """On tables the best lambda of "independent" moves with the rate, not that of J."""
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    printed = run_example(
        "coupled_or_decoupled.py", "--output", picture, cache=tmp_path
    )
    _, *rows, _ = printed.strip().splitlines()
    found = {row.split()[0]: row.partition("by rate")[2].split() for row in rows}
    moves = {name: max(map(float, b)) / min(map(float, b)) for name, b in found.items()}
    assert max(moves["l2"], moves["decoupled"]) < 20.0 < moves["independent"]
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@needs_examples
def test_seed_network(tmp_path):
    """One line for each library, in which the network fits, and no warning."""
    printed = run_example("seed_network.py", cache=tmp_path)
    _, *rows = printed.strip().splitlines()
    assert [row.split()[0] for row in rows] == ["skwd", "scikit-learn"]
    assert all(float(row.split()[2]) > 0.8 for row in rows)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_parameter_is_documented(name):
    estimator = getattr(skwd, name)
    text = inspect.cleandoc(estimator.__doc__)  # Python 3.13 does so itself
    assert "<<" not in text
    parameters, _ = text.split("Attributes\n-----")
    for parameter in estimator().get_params():
        assert re.search(rf"^[\w, ]*\b{parameter}\b[\w, ]* : ", parameters, re.M)


@pytest.mark.wide(20)
@pytest.mark.parametrize("name", MODULES)
def test_docstrings_run(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0


@pytest.mark.parametrize("name", [*ESTIMATORS, *DISPLAYS])
def test_public_classes_have_an_example(name):
    examples = doctest.DocTestFinder(recurse=False).find(getattr(skwd, name))
    assert any(test.examples for test in examples)


def test_the_installed_package_is_tested():
    """Not the folder that the tests lie beside."""
    try:
        distribution = importlib.metadata.distribution("skwd")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("skwd is on the path but not installed")
    installed = Path(distribution.locate_file("skwd/__init__.py"))
    if not installed.exists():
        pytest.skip("skwd is installed in editable mode")
    if not installed.samefile(skwd.__file__):
        pytest.skip("skwd is imported from this folder: start pytest by its own name")
    assert distribution.version == skwd.__version__
    assert installed.with_name("py.typed").exists()


PICTURES = {  # example: arguments, and what it must find
    "columns_in_parts.py": ([], "chosen: network on parts"),
    "decay_l1_dropout_stopping.py": (["--splits", "2"], "L2, weight decay"),
    "does_adam_choose_lambda.py": ([], "adam  best lambda"),
    "noise_that_varies.py": ([], "rho is a network"),
    "relevance_of_columns.py": ([], "columns left"),
    "vanishing_gradients.py": ([], "first over last"),
}


@pytest.mark.slow
@needs_examples
@pytest.mark.parametrize("name", PICTURES)
def test_an_example_prints_and_draws(name, tmp_path):
    pytest.importorskip("matplotlib")
    arguments, expected = PICTURES[name]
    picture = tmp_path / "picture.png"
    printed = run_example(name, "--output", picture, *arguments, cache=tmp_path)
    assert expected in printed
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@needs_examples
def test_a_number_through_alpha_from_is_the_same_model(tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    printed = run_example("what_alpha_means.py", "--output", picture, cache=tmp_path)
    for row in printed.strip().splitlines()[:-1]:
        apart = [float(n) for n in re.findall(r"\d\.\de[-+]\d+", row)]
        assert apart[1] < 1e-6
    assert "9.2e-01 apart as typed" in printed  # Ridge, without dividing by n
    assert picture.read_bytes().startswith(b"\x89PNG")


@needs_examples
def test_examples_are_gathered():
    """Each with its picture, in the page that lists them."""
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"\]\(([^)#]+)\)", text))
    assert {path.name for path in EXAMPLES.glob("*.p*")} - targets == set()
    assert [target for target in targets if not (EXAMPLES / target).exists()] == []


@needs_examples
@pytest.mark.parametrize("path", EXAMPLES.glob("*.py"), ids=lambda path: path.name)
def test_an_example_has_the_title_of_its_page(path):
    """Without one the gallery of the site has no link to it."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    title, underline, *_ = text.splitlines()
    assert title and underline == "=" * len(title)
