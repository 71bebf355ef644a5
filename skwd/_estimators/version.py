"""The version of the package, as pickles carry it, and what the package runs beside."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Any

import joblib
import threadpoolctl
from sklearn.exceptions import InconsistentVersionWarning

from skwd._estimators.warnings import warn

__version__ = "0.1.0"

# The name of the version in what an estimator pickles.
KEY = "_skwd_version"

_REQUIRED = ("numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl")
_OPTIONAL = ("pandas", "polars", "matplotlib", "rich", "skl2onnx", "dask", "ray")


class OtherVersionWarning(InconsistentVersionWarning):
    """scikit-learn's warning of a pickle from another version, of skwd's own."""

    def __str__(self) -> str:
        then, now = self.original_sklearn_version, self.current_sklearn_version
        return (
            f"Trying to unpickle {self.estimator_name} of skwd {then} with skwd {now}. "
            "This might lead to breaking code or wrong predictions. Fit it again, or "
            f"install skwd=={then}."
        )


def with_version(state: dict[str, Any]) -> dict[str, Any]:
    """The state of an estimator, as it is pickled."""
    return {**state, KEY: __version__}


def without_version(state: dict[str, Any], estimator_name: str) -> dict[str, Any]:
    """The state of an estimator from a pickle; warns if it is of another version."""
    state = dict(state)
    version = state.pop(KEY, None)
    if version not in (None, __version__):
        warn(
            OtherVersionWarning(
                estimator_name=estimator_name,
                current_sklearn_version=__version__,
                original_sklearn_version=version,
            )
        )
    return state


def show_versions() -> None:
    """Print the versions of skwd, Python and what skwd runs on, for a report.

    Examples
    --------
    >>> import skwd
    >>> skwd.show_versions()  # doctest: +ELLIPSIS
    skwd: ...
    """
    print(f"skwd: {__version__}")
    print(f"python: {sys.version.split()[0]} ({sys.executable})")
    print(f"machine: {platform.platform()}, {joblib.cpu_count()} processors")
    for name in (*_REQUIRED, *_OPTIONAL):
        try:
            print(f"{name}: {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            if name in _REQUIRED:
                print(f"{name}: not found")
    for library in threadpoolctl.threadpool_info():
        keys = ("internal_api", "version", "architecture")
        known = [library[key] for key in keys if library.get(key)]
        known.append(f"{library['num_threads']} threads")
        print(f"{library['user_api']}: {', '.join(known)}")
