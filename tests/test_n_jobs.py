"""n_jobs of the estimators of one fit: many fits by several workers, the same bits."""

import joblib
import numpy as np
import pytest
from refusal import assert_refused

import skwd._cv.parallel
from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
Y = np.sin(2 * X[:, 0]) + X[:, 1] + 0.2 * RNG.normal(size=90)
LABELS = np.digitize(Y, [-0.5, 0.5])
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "tol": 1e-4}
COLUMNS = {"l1_ratio": 1.0, "sparsity": "input"}
MANY = {
    "auto": {"alpha": "auto"},
    "auto of restarts": {"alpha": "auto", "n_init": 3, "ensemble": True},
    "auto by column": {"alpha": "auto", "alpha_groups": "input"},
    "auto of adam": {"alpha": "auto", "solver": "adam", "max_iter": 20},
    "intervals": {"intervals": 4},
    "restarts": {"n_init": 5},
    "restarts of leave-one-out": {"alpha": "loo", "n_init": 3},
    "restarts of adam": {"solver": "adam", "n_init": 3, "max_iter": 20},
    "restarts of columns": {**COLUMNS, "alpha": 0.01, "n_init": 3, "ensemble": True},
    "restarts of columns in parts": {
        **COLUMNS,
        **{"alpha": 0.01, "n_init": 3, "ensemble": True, "encoding": "parts"},
    },
    "two stages": {"l1_ratio": 1.0, "sparsity": "adaptive", "alpha": "auto"},
}
NAMES = "coefs_", "intercepts_", "alpha_", "alphas_", "alpha_scores_", "loss_curve_"
CONVERGENCE = "ignore::sklearn.exceptions.ConvergenceWarning"


def bits_of(model):
    found = [model.predict(X).tobytes()]
    for name in NAMES:
        value = getattr(model, name, None)
        parts = value if isinstance(value, list) else [value]
        found += [None if p is None else np.asarray(p).tobytes() for p in parts]
    if getattr(model, "intervals", None):
        found.append(model.predict_interval(X).tobytes())
    return found


@pytest.fixture
def n_workers(monkeypatch):
    """How many workers each call has had."""
    seen, run = [], skwd._cv.parallel.run

    def spy(function, jobs, n_jobs):
        seen.append(n_jobs)
        return run(function, jobs, n_jobs)

    monkeypatch.setattr(skwd._cv.parallel, "run", spy)
    return seen


def marked(many):
    """A case of `MANY`; those that are fitted in no time are fast."""
    is_fast = many in ("intervals", "restarts", "restarts of columns in parts")
    return pytest.param(many, marks=[] if is_fast else [pytest.mark.slow])


@pytest.mark.wide(6)
@pytest.mark.filterwarnings(CONVERGENCE)
@pytest.mark.parametrize("Model, y", [(WeightDecayMLPRegressor, Y), (None, LABELS)])
@pytest.mark.parametrize("many", map(marked, MANY))
def test_bits_do_not_depend_on_n_jobs(many, Model, y, n_workers):
    if Model is None and "intervals" in MANY[many]:
        pytest.skip("of regressors")
    Model = Model or WeightDecayMLPClassifier
    model = Model(**SMALL | MANY[many])
    alone = bits_of(model.fit(X, y))
    assert not n_workers
    for n_jobs in (2, 3):
        with joblib.parallel_config("threading"):
            assert bits_of(model.set_params(n_jobs=n_jobs).fit(X, y)) == alone
    assert {2, 3} <= set(n_workers)


@pytest.mark.slow
@pytest.mark.filterwarnings(CONVERGENCE)
def test_restarts_of_evidence_stay_together(n_workers):
    """All begin where the first has the most evidence."""
    model = WeightDecayMLPRegressor(**SMALL, alpha="evidence", n_init=3)
    alone = bits_of(model.fit(X, Y))
    assert bits_of(model.set_params(n_jobs=2).fit(X, Y)) == alone
    assert not n_workers


@pytest.mark.filterwarnings(CONVERGENCE)
@pytest.mark.slow
@pytest.mark.parametrize("many", MANY)
def test_nor_do_they_in_other_processes(many, n_workers):
    model = WeightDecayMLPRegressor(**SMALL | MANY[many])
    alone = bits_of(model.fit(X, Y))
    assert bits_of(model.set_params(n_jobs=2).fit(X, Y)) == alone
    assert 2 in n_workers


@pytest.mark.slow
def test_the_network_of_a_varying_noise_has_workers_too(n_workers):
    how = {"hidden_layer_sizes": (), "alpha": 0.01, "random_state": 0}
    model = WeightDecayMLPRegressor(**how, intervals=10, n_jobs=2)
    with joblib.parallel_config("threading"):
        model.fit(X, Y)
        of_folds = len(n_workers)
        std = model.set_params(noise="varying").fit(X, Y).predict(X, return_std=True)[1]
    assert len(n_workers) > 2 * of_folds
    alone = model.set_params(n_jobs=None).fit(X, Y)
    assert alone.predict(X, return_std=True)[1].tobytes() == std.tobytes()


def test_what_somebody_hears_of_is_trained_in_this_process(n_workers, capsys):
    model = WeightDecayMLPRegressor(**SMALL, n_init=2, n_jobs=2, verbose=1)
    model.fit(X, Y)
    assert not n_workers
    assert "iteration" in capsys.readouterr().out


@pytest.mark.slow
def test_auto_says_a_line_of_each_model_and_multiple(capsys):
    how = {"alpha": "auto", "encoding": None, "verbose": 1}
    model = WeightDecayMLPRegressor(**SMALL, **how).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if "held-out loss" in line]
    networks = [line for line in said if line.startswith("network, ")]
    linear = [line for line in said if line.startswith("linear model, ")]
    assert len(networks) == len(model.alphas_)
    assert len(linear) >= 2
    left = [line for line in lines if line.startswith("left: ")]
    assert left == [
        "left: linear model, the fit to all rows",
        "left: the fit to all rows",
    ]
    losses = sorted(float(line.split("loss ")[1].split(" in ")[0]) for line in networks)
    np.testing.assert_allclose(losses, np.sort(-model.alpha_scores_), rtol=1e-4)


@pytest.mark.parametrize("value", [0, 1.5, "all", True])
@pytest.mark.parametrize("Model", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_n_jobs_that_is_none_is_refused(Model, value):
    message = (
        f"n_jobs must be None or an integer other than 0; got {value!r}. Use "
        "n_jobs=-1 for all processors."
    )
    assert_refused(Model(n_jobs=value), message, y=LABELS[:12])
