"""Predictions that know their error: closed forms, mixtures, and what is kept."""

import pickle
import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.number_losses import HalfPoissonLoss

LINEAR = {"hidden_layer_sizes": (), "tol": 1e-12}
SMALL = {"hidden_layer_sizes": (5,), "activation": "tanh", "random_state": 0}


def ridge_std(X, y, weight, alpha, X_new):
    """Of y about a ridge regression with a flat prior on its intercept."""
    A = np.c_[X, np.ones(len(X))]
    H = A.T @ (weight[:, np.newaxis] * A)
    n = weight.sum()
    penalty = n * alpha * np.diag(np.r_[np.ones(X.shape[1]), 0.0])
    inverse = np.linalg.inv(H + penalty)
    coef = inverse @ A.T @ (weight * y)
    dof = np.trace(inverse @ H)
    noise = weight @ (y - A @ coef) ** 2 / (n - dof)
    A_new = np.c_[X_new, np.ones(len(X_new))]
    return np.sqrt(noise + noise * np.einsum("ni,ij,nj->n", A_new, inverse, A_new))


@pytest.mark.parametrize("alpha", [0.1, "evidence", "loo"])
@pytest.mark.parametrize("normalize_y", [False, True])
def test_a_linear_model_in_closed_form(alpha, normalize_y, regression):
    X, y = regression
    weight = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    model = WeightDecayMLPRegressor(
        alpha=alpha, posterior=True, normalize_y=normalize_y, **LINEAR
    ).fit(X, 10.0 * y, sample_weight=weight)
    X_new = 3.0 * X[:7]
    mean, std = model.predict(X_new, return_std=True)
    assert_array_equal(mean, model.predict(X_new))
    expected = ridge_std(X, 10.0 * y, weight, model.alpha_, X_new)
    assert_allclose(std, expected, rtol=1e-9)


def test_several_outputs_each_have_their_own_noise(regression):
    X, y = regression
    Y = np.c_[y, 100.0 * X[:, 3] + np.random.default_rng(1).standard_normal(len(y))]
    model = WeightDecayMLPRegressor(
        alpha=0.1, posterior=True, normalize_y=True, **LINEAR
    ).fit(X, Y)
    _, std = model.predict(X[:5], return_std=True)
    assert std.shape == (5, 2) and model.noise_std_.shape == (2,)
    for output in range(2):
        # One noise a direction of its own: dof are shared evenly, as alpha is.
        alone = ridge_std(X, Y[:, output], np.ones(len(y)), 0.1, X[:5])
        assert_allclose(std[:, output], alone, rtol=1e-9)


def test_counts_without_a_hidden_layer(regression):
    """exp(f) moves by exp(f) times the error of f, and a count varies about it."""
    X, _ = regression
    y = np.random.default_rng(0).poisson(np.exp(0.5 * X[:, 0]))
    model = WeightDecayMLPRegressor(
        loss="poisson", alpha=0.05, posterior=True, **LINEAR
    ).fit(X, y)
    mean, std = model.predict(X[:9], return_std=True)
    A = np.c_[X, np.ones(len(X))]
    mu = model.predict(X)
    H = A.T @ (mu[:, np.newaxis] * A) + len(X) * 0.05 * np.diag([1, 1, 1, 1, 0])
    variance = np.einsum("ni,ij,nj->n", A[:9], np.linalg.inv(H), A[:9])
    assert_allclose(std, np.sqrt(mean**2 * variance + mean), rtol=1e-8)


def test_a_count_whose_logarithm_is_not_known_is_larger_on_average():
    """The mean of exp(raw) of a Gaussian is exp(raw + V / 2)."""
    raw, V = np.array([[[0.3, -1.0]]]), np.array([[[[0.5, 0.1], [0.1, 0.2]]]])
    averaged = HalfPoissonLoss.likelihood.marginalised(raw, V)
    np.testing.assert_allclose(np.exp(averaged), np.exp([[[0.55, -0.9]]]))


def test_a_hidden_layer_by_differences_of_predict():
    """H from differences of what predict gives when coefs_ move.

    Of so many rows that all determine every bias: none is at its floor.
    """
    X = np.random.default_rng(0).standard_normal((800, 4))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    model = WeightDecayMLPRegressor(alpha=0.001, posterior=True, **SMALL)
    model.set_params(tol=1e-14, max_iter=5000, normalize_y=False).fit(X, y)
    X_new = np.r_[X[:4], 2.0 * X[4:8]]
    _, std = model.predict(X_new, return_std=True)
    columns, penalised = [], []
    for array in [*model.coefs_, *model.intercepts_]:
        for index in np.ndindex(array.shape):
            before = array[index]
            array[index] = before + 1e-5
            up = model.predict(np.r_[X, X_new])
            array[index] = before - 1e-5
            columns.append((up - model.predict(np.r_[X, X_new])) / 2e-5)
            array[index] = before
            penalised.append(array.ndim == 2)
    J = np.stack(columns, axis=1)
    J, J_new, n = J[: len(X)], J[len(X) :], len(X)
    H = J.T @ J / n + 0.001 * np.diag(np.array(penalised, dtype=float))
    inverse = np.linalg.inv(H)
    dof = np.trace(inverse @ J.T @ J / n)
    noise = ((y - model.predict(X)) ** 2).sum() / (n - dof)
    spread = np.einsum("ni,ij,nj->n", J_new, inverse, J_new) / n
    assert model.n_effective_params_ == pytest.approx(dof, rel=1e-4)
    assert model.noise_std_ == pytest.approx(np.sqrt(noise), rel=1e-4)
    assert_allclose(std, np.sqrt(noise * (1.0 + spread)), rtol=1e-3)


def test_far_from_the_data_the_error_is_larger(regression):
    X, y = regression
    model = WeightDecayMLPRegressor(alpha="evidence", posterior=True, **SMALL)
    _, near = model.fit(X, y).predict(X, return_std=True)
    _, far = model.predict(10.0 * X, return_std=True)
    assert near.min() > model.noise_std_ and np.median(far) > 2.0 * np.median(near)


@pytest.mark.filterwarnings("ignore:solver='auto', here 'lbfgs', reached max_iter")
def test_units_of_y_blocks_sparse_and_float32(regression):
    """Of a few iterations, in which rounding has not grown."""
    X, y = regression
    model = WeightDecayMLPRegressor(
        alpha=0.01, posterior=True, normalize_y=True, max_iter=4, **SMALL
    )
    _, std = model.fit(X, y).predict(X, return_std=True)
    _, part = model.predict(X[50:53], return_std=True)
    assert_allclose(part, std[50:53], rtol=1e-12)
    _, sparse = model.predict(csr_matrix(X), return_std=True)
    assert_allclose(sparse, std, rtol=1e-12)
    _, thousand = model.fit(X, 1000.0 * y).predict(X, return_std=True)
    assert_allclose(thousand, 1000.0 * std, rtol=1e-12)
    mean, short = model.fit(X.astype(np.float32), y).predict(X, return_std=True)
    assert mean.dtype == short.dtype == np.float32
    assert_allclose(short, std, rtol=1e-4)


@pytest.mark.slow
def test_an_ensemble_is_a_mixture(regression):
    X, y = regression
    model = WeightDecayMLPRegressor(
        alpha="evidence", posterior=True, n_init=3, ensemble=True, **SMALL
    ).fit(X, y)
    means, variances = [], []
    for k in range(3):
        one = WeightDecayMLPRegressor(alpha=0.01, posterior=True, **SMALL).fit(X, y)
        one.coefs_ = [W[k] for W in model.coefs_]
        one.intercepts_ = [b[k] for b in model.intercepts_]
        one._fitted.network.posterior = [model._fitted.network.posterior[k]]
        mean, std = one.predict(X, return_std=True)
        means.append(mean)
        variances.append(std**2)
    mean, std = model.predict(X, return_std=True)
    assert_allclose(mean, np.mean(means, axis=0), rtol=1e-10)
    variance = np.mean(variances, axis=0) + np.var(means, axis=0)
    assert_allclose(std, np.sqrt(variance), rtol=1e-10)


def test_queries_do_not_change_and_pickles_keep(regression):
    X, y = regression
    model = WeightDecayMLPRegressor(alpha="loo", posterior=True, **SMALL).fit(X, y)
    before = pickle.dumps(model)
    mean, std = model.predict(X, return_std=True)
    assert pickle.dumps(model) == before
    again, its_std = pickle.loads(before).predict(X, return_std=True)
    assert_array_equal(again, mean)
    assert_array_equal(its_std, std)


def test_what_a_fit_without_a_posterior_does_not_have(regression):
    X, y = regression
    model = WeightDecayMLPRegressor(alpha="evidence", **SMALL).fit(X, y)
    names = {"log_evidence_", "n_effective_params_", "noise_std_"}
    assert names < vars(model).keys() and isinstance(model.noise_std_, float)
    model.set_params(alpha=0.01).fit(X, y)
    assert not names & vars(model).keys() and model._fitted.network.posterior is None
    message = "return_std=True needs a deviation, and this estimator was fitted without"
    with pytest.raises(ValueError, match=message):
        model.predict(X, return_std=True)


@pytest.mark.parametrize("batch", [{}, {"batch_size": 32}])
def test_steps_on_batches_leave_a_gradient(regression, batch):
    X, y = regression
    how = {"learning_rate_init": 0.02, "tol": 1e-3, **batch, **SMALL}
    model = WeightDecayMLPRegressor(solver="adam", alpha=0.01, posterior=True, **how)
    with pytest.warns(UserWarning) as caught:
        model.fit(X, y)
    [said] = [str(w.message) for w in caught]
    found = re.fullmatch(
        r"posterior=True is that of a minimum, but solver='adam' has stopped where the "
        r"posterior density is e\^\S+ times lower\. Use (.+)\.",
        said,
    )
    assert found is not None, said
    assert np.isfinite(model.predict(X, return_std=True)[1]).all()
    remedy = eval(f"dict({found[1].replace(' and ', ', ')})")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.set_params(**remedy).fit(X, y).converged_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_density_where_steps_have_stopped_is_that_of_a_gaussian(regression):
    """exp of minus n times J above its minimum, over the variance of the noise."""
    X, y = regression
    how = {"hidden_layer_sizes": (), "alpha": 0.01, "posterior": True, "tol": 1e-9}
    exact = WeightDecayMLPRegressor(**how).fit(X, y)
    model = WeightDecayMLPRegressor(solver="adam", max_iter=40, **how)
    with pytest.warns(match="posterior density is") as caught:
        model.fit(X, y)
    [said] = [w for w in map(str, (w.message for w in caught)) if "density" in w]
    nats = float(re.search(r"e\^(\S+) times lower", said)[1])
    variance = (model.noise_std_ / model.y_scale_) ** 2
    assert nats == pytest.approx(120 * (model.loss_ - exact.loss_) / variance, rel=0.06)


def test_cv_forms_are_the_plain_ones(regression, classes, one_blas_thread):
    how = {"alphas": [0.01, 0.1], "cv": 3, "posterior": True, **SMALL}
    X, y = regression
    model = WeightDecayMLPRegressorCV(**how).fit(X, y)
    plain = WeightDecayMLPRegressor(alpha=model.alpha_, posterior=True, **SMALL)
    for ours, theirs in zip(
        model.predict(X, return_std=True), plain.fit(X, y).predict(X, return_std=True)
    ):
        assert_array_equal(ours, theirs)
    X, y = classes
    model = WeightDecayMLPClassifierCV(**how).fit(X, y)
    plain = WeightDecayMLPClassifier(alpha=model.alpha_, posterior=True, **SMALL)
    assert_array_equal(model.predict_proba(X), plain.fit(X, y).predict_proba(X))


@pytest.mark.parametrize("hidden", [(), (5,), (40,)], ids=str)
def test_blocks_of_rows_change_nothing(hidden, regression, monkeypatch):
    X, y = regression
    model = WeightDecayMLPRegressor(**SMALL | {"hidden_layer_sizes": hidden})
    model.set_params(alpha=0.01, posterior=True).fit(X, y)
    _, std = model.predict(X, return_std=True)
    kind = type(model._fitted.network.posterior[0].curvature)
    monkeypatch.setattr(kind, "block_rows", 7)
    mean, of_blocks = model.predict(X, return_std=True)
    assert mean.shape == of_blocks.shape == (len(X),)
    assert_allclose(of_blocks, std, rtol=1e-5)


@pytest.mark.wide(4)
@pytest.mark.filterwarnings(
    "ignore:solver=", "ignore:encoding=", "error::RuntimeWarning"
)
@pytest.mark.parametrize("solver", ["lbfgs", "gd", "adam"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
def test_a_constant_y_determines_no_more_than_there_is(solver, activation):
    """Its variance is 0, and no floor: what is below rounding is not determined."""
    how = {
        "activation": activation,
        "solver": solver,
        "posterior": True,
        "max_iter": 99,
    }
    for seed in range(24):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((rng.integers(1, 30), [1, 3, 14][seed % 3 - seed % 2]))
        model = WeightDecayMLPRegressor(
            hidden_layer_sizes=[(), (3,), (2, 2)][seed % 3],
            encoding=[None, "parts"][seed % 2],
            alpha=[None, 0.01, 1.0][seed // 2 % 3],
            random_state=0,
            **how,
        )
        model.fit(X, np.full(len(X), seed % 4))
        n_params = sum(part.size for part in model.coefs_ + model.intercepts_)
        assert -1e-6 < model.n_effective_params_ < n_params + 1e-6
        y, deviation = model.predict(X, return_std=True)
        off = np.sqrt(np.mean((y - seed % 4) ** 2))  # but for rounding
        # At most 0.999 of the rows are spent.
        assert off - 1e-15 <= model.noise_std_ <= (off + 1e-15) * np.sqrt(1001)
        assert np.isfinite(deviation).all()
