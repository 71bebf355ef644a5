"""Faults that the covering array has found, each as the rule that was broken."""

import re

import numpy as np
import pytest
from spies import Heard, needs_callbacks

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 4))
LINE = X @ [1.0, -1.0, 0.5, 0.0] + 0.5 * RNG.standard_normal(60)
SMALL = {"hidden_layer_sizes": (3, 2), "random_state": 0}


@pytest.mark.wide(2)
@needs_callbacks
@pytest.mark.parametrize("groups", [None, "layer"])
def test_a_callback_sees_the_linear_model_that_auto_has_chosen(groups):
    heard = Heard()
    model = WeightDecayMLPRegressor(alpha="auto", alpha_groups=groups, **SMALL)
    model.set_callbacks(heard).fit(X, LINE)
    assert model.alpha_choice_["model"] == "linear model" and len(model.coefs_) == 1
    assert len(heard.scores) > 1 and np.isfinite(heard.scores).all()
    assert heard.scores[-1] == pytest.approx(model.score(X, LINE))


@pytest.mark.slow
@needs_callbacks
def test_a_callback_hears_of_rounds_where_auto_has_taken_groups():
    """Networks of fewer columns are trained in between, which are nobody's model."""
    heard = Heard()
    model = WeightDecayMLPRegressor(
        alpha="auto", alpha_groups="input", hidden_layer_sizes=()
    )
    wide = np.hstack([X, np.random.default_rng(1).standard_normal((60, 6))])
    model.set_callbacks(heard).fit(wide, LINE)
    assert model.alpha_choice_["model"] == "network with alpha_groups"
    assert np.isfinite(heard.scores).all()


@pytest.mark.parametrize("groups", ["layer", "input", [[0, 1]]])
def test_groups_of_alpha_are_not_for_masked_targets(groups):
    y = np.stack([LINE, LINE**2], axis=1)
    y[::5, 1] = np.nan
    model = WeightDecayMLPRegressor(
        alpha="auto", alpha_groups=groups, missing_targets="mask", **SMALL
    )
    message = (
        "missing_targets='mask' leaves no curvature and no residuals of whole rows, "
        f"which alpha_groups={groups!r} needs. Use missing_targets='error'."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")


def test_intervals_of_a_cv_form_are_not_for_masked_targets():
    y = np.stack([LINE, LINE**2], axis=1)
    y[::5, 1] = np.nan
    model = WeightDecayMLPRegressorCV(
        alphas=[0.1, 1.0], missing_targets="mask", intervals=True, random_state=0
    )
    with pytest.raises(ValueError, match="which intervals=True needs"):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")


def test_a_column_of_targets_is_not_exported_in_another_shape():
    y = LINE[:, np.newaxis]
    model = WeightDecayMLPRegressor(alpha=0.05, **SMALL).fit(X, y)
    with pytest.raises(ValueError, match=r"y was a column, .* Fit with y\.ravel\(\)\."):
        model.to_sklearn()
    flat = model.fit(X, LINE).to_sklearn()
    np.testing.assert_allclose(flat.predict(X), model.predict(X), rtol=1e-6)
