"""Faults that were found where columns in parts meet something else, each as a rule."""

import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skwd import (
    RelevanceDisplay,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.sample import Sample
from skwd._data.encoding import Encoding

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 2))
PRODUCT = X[:, 0] * X[:, 1] + 0.1 * RNG.standard_normal(60)
SMALL = {"hidden_layer_sizes": (4,), "random_state": 0, "tol": 1e-2}


@pytest.mark.slow
def test_a_ladder_after_a_network_on_parts_is_climbed_anew():
    """The network that is returned is of the model that was judged."""
    how = {**SMALL, "alpha": "auto"}
    plain = WeightDecayMLPRegressor(**how).fit(X, PRODUCT)
    assert plain.alpha_choice_["model"] == "network" and plain.encoding_ is None
    model = WeightDecayMLPRegressor(**SMALL, encoding="parts", alpha=0.1)
    model.fit(X, PRODUCT).set_params(encoding="auto", alpha="auto", warm_start=True)
    model.fit(X, PRODUCT)
    assert model.alpha_choice_ == plain.alpha_choice_ and model.encoding_ is None
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))


@pytest.mark.wide(2)
@pytest.mark.parametrize("by", ["warm_start=True", "partial_fit"])
def test_parts_that_are_kept_are_not_for_sparse_rows(by):
    model = WeightDecayMLPRegressor(**SMALL, encoding="parts", alpha=0.1)
    model.fit(X, PRODUCT).set_params(encoding="auto", warm_start=True)
    more = model.fit if by == "warm_start=True" else model.partial_fit
    message = (
        f"{by} continues a network of encoding='parts', but X is sparse now, of shape "
        "(60, 2), and its columns have no parts."
    )
    before = model.coefs_[0]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        more(sparse.csr_matrix(X), PRODUCT)
    assert model.coefs_[0] is before
    model.set_params(alpha="auto").fit(sparse.csr_matrix(X), PRODUCT)  # anew
    assert model.encoding_ is None


def test_effective_parameters_of_a_source_are_those_of_its_columns():
    """A column counts once, however many parts it has."""
    town = make_column_transformer((OneHotEncoder(), [0]), remainder="passthrough")
    table = np.column_stack([np.arange(60) % 3, X])
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(), encoding="parts", alpha="evidence", alpha_groups="input"
    )
    pipe = make_pipeline(town, model).fit(table, np.abs(X[:, 0]) + table[:, 0])
    effective = pipe[-1].column_effective_params_
    assert effective.shape == (5,)
    by_source = RelevanceDisplay.of(pipe, by="source").n_effective
    np.testing.assert_allclose(by_source, [effective[:3].sum(), *effective[3:]])


def test_knots_of_a_fold_are_of_its_rows_when_these_are_as_many_as_all():
    """As of a bootstrap sample, which holds some rows twice."""
    drawn = np.random.default_rng(1).integers(0, 60, 60)
    cv = [(drawn, np.setdiff1d(np.arange(60), drawn))]
    how = {"hidden_layer_sizes": (), "encoding": "parts"}
    ours = WeightDecayMLPRegressorCV(alphas=[0.1], cv=cv, **how).fit(X, PRODUCT)
    plain = WeightDecayMLPRegressor(**how)
    theirs = GridSearchCV(plain, {"alpha": [0.1]}, cv=cv).fit(X, PRODUCT)
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-7)


def test_a_multiple_of_all_weights_leaves_the_knots_of_many_rows():
    """Sums of weights are rounded at each row."""
    x = 1.0 * np.random.default_rng(0).permutation(230_000)[:, np.newaxis]
    y = np.zeros((len(x), 1))
    (knots,) = Encoding.learnt(Sample(x, y, np.ones(len(x)))).knots
    below, above = np.arange(1, 12) * 10_000 - 1, np.arange(12, 23) * 10_000
    np.testing.assert_array_equal(knots, [0, *below, *above, 229_999])
    (weighted,) = Encoding.learnt(Sample(x, y, np.full(len(x), 0.1))).knots
    np.testing.assert_array_equal(weighted, knots)
