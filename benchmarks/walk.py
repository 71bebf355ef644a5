"""How far a reader walks to follow a fit: functions, files and lines of skwd.

    python benchmarks/walk.py [--functions] [--upward]

For some fits of 60 rows x 4 columns: how many functions of skwd are entered, in how
many files, from how many files to others, and how many calls that is. Names of
comprehensions and lambdas are not counted. Then the classes that the estimators are
made of, and the lines of code without docstrings, comments and blank lines.
--functions lists the functions by file. --upward lists the calls from a lower to a
higher room, in these fits and in one of a CV form with a scorer.
"""

import argparse
import ast
import io
import sys
import tokenize
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import skwd

ROOT = Path(skwd.__file__).parent
# Top to bottom, as in tests/test_package.py; a list of rooms on one floor.
FLOORS = (
    ("_estimators", "display", "__init__.py"),
    ("_cv",),
    ("_alpha",),
    ("_curvature",),
    ("_solvers",),
    ("_data",),
    ("_core",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
UNNAMED = "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<lambda>", "<module>"
LONG = 300  # lines of a file that are many
Regressor, RegressorCV = skwd.WeightDecayMLPRegressor, skwd.WeightDecayMLPRegressorCV
FITS = {
    "alpha=0.01": Regressor(alpha=0.01, random_state=0),
    "alpha=None, the default": Regressor(random_state=0),
    "alpha='auto'": Regressor(alpha="auto", random_state=0),
    "alpha='evidence', posterior": Regressor(
        alpha="evidence", posterior=True, random_state=0
    ),
}
SEARCH = "CV form with a scorer"
WITH_SEARCH = FITS | {
    SEARCH: RegressorCV(
        cv=3, scoring="neg_mean_squared_error", intervals=True, random_state=0
    )
}


def data():
    """60 x 4 standard normal X and a smooth, noisy y."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.standard_normal(60)


def place(code):
    """The file of a code object within skwd, or None."""
    path = Path(code.co_filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else None


class Walk:
    """The calls of functions of skwd by functions of skwd, in one fit."""

    def __init__(self, model):
        self.calls = Counter()  # (caller's code or None, code)
        self.places = {}
        X, y = data()
        sys.setprofile(self.profile)
        try:
            model.fit(X, y)
        finally:
            sys.setprofile(None)

    def place(self, code):
        if code not in self.places:
            named = code.co_name not in UNNAMED
            self.places[code] = place(code) if named else None
        return self.places[code]

    def profile(self, frame, event, _):
        if event != "call" or self.place(frame.f_code) is None:
            return
        caller = frame.f_back  # the nearest function of skwd: NumPy may be between
        while caller is not None and self.place(caller.f_code) is None:
            caller = caller.f_back
        self.calls[caller and caller.f_code, frame.f_code] += 1

    def functions(self):
        return sorted({code for _, code in self.calls}, key=where)

    def pairs(self):
        """The pairs of files, that of the caller and that of the function."""
        return {
            (self.places[caller], self.places[code])
            for caller, code in self.calls
            if caller and self.places[caller] != self.places[code]
        }

    def upward(self):
        """The calls from a lower to a higher room, as lines."""
        return sorted(
            f"{where(caller)} -> {where(code)}: {n}"
            for (caller, code), n in self.calls.items()
            if caller and floor(caller) > floor(code)
        )


def where(code):
    return f"{place(code)}:{code.co_firstlineno:03d} {code.co_qualname}"


def floor(code):
    return FLOOR[Path(place(code)).parts[0]]


def lines_of_code(path):
    """The lines that hold code: no docstrings, comments or blank lines."""
    text = path.read_text(encoding="utf-8")
    lines = set()
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT}
    skipped |= {tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            lines |= {*range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if ast.get_docstring(node) is not None:
                first = node.body[0]
                lines -= {*range(first.lineno, first.end_lineno + 1)}
    return len(lines)


def print_size():
    files = sorted(ROOT.rglob("*.py"))
    per_folder, n_files = Counter(), Counter()
    for path in files:
        per_folder[path.relative_to(ROOT).parts[0]] += lines_of_code(path)
        n_files[path.relative_to(ROOT).parts[0]] += 1
    print("\nlines of code, without docstrings, comments and blank lines")
    for folder, n_lines in per_folder.items():
        print(f"  {folder:14s} {n_lines:6d} in {n_files[folder]:3d} files")
    print(f"  {'all':14s} {per_folder.total():6d} in {len(files):3d} files")
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in files}
    longest = max(lengths, key=lengths.get)
    print(f"  longest file: {longest.relative_to(ROOT)}, {lengths[longest]} lines")
    for path, length in lengths.items():
        if length > LONG:
            print(f"  above {LONG} lines: {path.relative_to(ROOT)}, {length}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--functions", action="store_true", help="list them by file")
    parser.add_argument("--upward", action="store_true", help="list calls upwards")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    walks = {}
    for name, model in (WITH_SEARCH if args.upward else FITS).items():
        model.fit(*data())  # what is done once is not of the fit
        walks[name] = Walk(model)
    print(f"{'fit of 60 x 4':30s} functions  files  pairs   calls")
    for name, walk in walks.items():
        functions = walk.functions()
        n_files = len({place(code) for code in functions})
        n_pairs, n_calls = len(walk.pairs()), walk.calls.total()
        counts = f"{len(functions):9d} {n_files:6d} {n_pairs:6d} {n_calls:7d}"
        print(f"{name:30s} {counts}")
    print("\nclasses of skwd in the MRO")
    for name in skwd.__all__:
        kind = getattr(skwd, name)
        if hasattr(kind, "fit"):
            own = [c.__name__ for c in kind.__mro__ if c.__module__.startswith("skwd")]
            print(f"  {name}: {len(own)}: {', '.join(own)}")
    print_size()
    for name, walk in walks.items():
        if args.functions:
            print(f"\nfunctions of {name}", *map(where, walk.functions()), sep="\n  ")
        if args.upward:
            found = walk.upward()
            print(f"\n{len(found)} calls upwards of {name}", *found, sep="\n  ")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
