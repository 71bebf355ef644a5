"""Versions: what pickles carry, what a load from another one says, what is shown."""

import copy
import pickle
import warnings

import pytest
from sklearn.exceptions import InconsistentVersionWarning

import skwd
from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV
from skwd._estimators import version


@pytest.mark.parametrize(
    "Estimator", [WeightDecayMLPRegressor, WeightDecayMLPRegressorCV]
)
def test_a_pickle_of_another_version_warns(Estimator, regression, monkeypatch):
    X, y = regression
    model = Estimator(hidden_layer_sizes=(), random_state=0).fit(X, y)
    monkeypatch.setattr(version, "__version__", "0.0.1")
    text = pickle.dumps(model)
    monkeypatch.undo()
    with pytest.warns(InconsistentVersionWarning) as caught:
        other = pickle.loads(text)
    assert [str(one.message) for one in caught] == [
        f"Trying to unpickle {Estimator.__name__} of skwd 0.0.1 with skwd "
        f"{skwd.__version__}. This might lead to breaking code or wrong predictions. "
        "Fit it again, or install skwd==0.0.1."
    ]
    assert caught[0].filename == __file__
    assert (other.predict(X) == model.predict(X)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = pickle.loads(pickle.dumps(other))  # of this version now
        copied = copy.deepcopy(model)
    assert vars(again).keys() == vars(copied).keys() == vars(model).keys()


def test_versions_are_shown(capsys, monkeypatch):
    skwd.show_versions()
    lines = capsys.readouterr().out.splitlines()
    shown = dict(line.partition(": ")[::2] for line in lines)
    assert lines[0] == f"skwd: {skwd.__version__}"
    assert {
        "python",
        "machine",
        "numpy",
        "scipy",
        "scikit-learn",
        "blas",
    } <= shown.keys()
    assert "threads" in shown["blas"]

    def absent(name):
        raise version.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(version.metadata, "version", absent)
    skwd.show_versions()
    out = capsys.readouterr().out
    assert "numpy: not found" in out and "rich" not in out
