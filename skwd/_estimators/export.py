"""Out of the package: a fitted network as scikit-learn's own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

from skwd._estimators.export_parts import (
    as_hinges,
    as_splines,
    have_digits,
    name_features,
    pipeline,
)

# Of scikit-learn's networks.
ACTIVATIONS_THERE = ("identity", "logistic", "tanh", "relu")


def to_sklearn(estimator: Any) -> MLPRegressor | MLPClassifier | Pipeline:
    """A fitted estimator as scikit-learn's own, see its method of this name."""
    fitted, coefs = estimator._fitted, estimator.coefs_
    loss, is_class = fitted.targets.loss, is_classifier(estimator)
    if coefs[0].ndim == 3:
        raise ValueError(
            f"to_sklearn is for one network; got an ensemble of {len(coefs[0])}. Fit "
            "with ensemble=False."
        )
    n_raw, units = coefs[-1].shape[1], fitted.targets.fitted()
    if not is_class and n_raw != len(units["y_scale_"]):
        raise ValueError(
            f"loss={loss.name!r} has {n_raw} raw outputs, which no network of "
            "scikit-learn has. Fit with another loss."
        )
    if not is_class and fitted.targets.shape == (1,):
        raise ValueError(
            "y was a column, of shape (n, 1), and scikit-learn's MLPRegressor predicts "
            "a single output in the shape (n,). Fit with y.ravel()."
        )
    layers = list(zip(coefs, estimator.intercepts_))
    hidden = tuple(W.shape[1] for W in coefs[:-1])
    activation = fitted.network.activation if hidden else "identity"
    if activation not in ACTIVATIONS_THERE:
        listed = ", ".join(repr(name) for name in ACTIVATIONS_THERE)
        raise ValueError(
            f"activation={activation!r} is not one of scikit-learn's, which "
            f"are {listed}. Fit with one of them."
        )
    transformer, dtype = None, coefs[0].dtype
    encoding = fitted.network.encoding
    if encoding is not None and encoding.has_parts:
        first = [part.astype(np.float64) for part in layers[0]]
        dtype = np.dtype(np.float64)  # knots may lie close together
        if (not hidden or activation == "relu") and have_digits(encoding):
            layers = [*as_hinges(encoding, *first), *layers[1:]]
            activation = "relu"
        else:
            transformer, first_layer = as_splines(encoding, *first)
            layers = [first_layer, *layers[1:]]
        hidden = tuple(W.shape[1] for W, _ in layers[:-1])
    how = {"hidden_layer_sizes": hidden, "activation": activation, "max_iter": 1}
    if not is_class and loss.out_activation == "exp":
        if "loss" not in MLPRegressor().get_params():
            raise ValueError(
                f"loss={loss.name!r} has a log link, which scikit-learn's "
                "MLPRegressor has since version 1.7. Install a newer one."
            )
        how["loss"] = "poisson"
    kind = MLPClassifier if is_class else MLPRegressor
    examples = fitted.targets.examples()
    model = _shaped(kind(**how), examples, len(layers[0][0]))
    coefs, intercepts = ([part.copy() for part in parts] for parts in zip(*layers))
    if not is_class:
        coefs[-1] = coefs[-1] * units["y_scale_"]
        intercepts[-1] = intercepts[-1] * units["y_scale_"] + units["y_mean_"]
    model.coefs_ = [W.astype(dtype) for W in coefs]
    model.intercepts_ = [b.astype(dtype) for b in intercepts]
    for name in ("loss_", "loss_curve_", "best_loss_", "n_iter_", "t_"):
        setattr(model, name, getattr(estimator, name))
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        named = model if transformer is None else transformer
        name_features(named, names)
    return model if transformer is None else pipeline(transformer, model)


def _shaped(model, y: np.ndarray, n_features: int):
    """A network of the right shape, fitted to nothing."""
    X = np.zeros((len(y), n_features))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its one epoch
        return model.fit(X, y)
