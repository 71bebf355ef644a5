"""Out of the package: a fitted network as scikit-learn's own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted

# Of scikit-learn's networks.
ACTIVATIONS_THERE = ("identity", "logistic", "tanh", "relu")


class ExportMixin:
    """`to_sklearn`."""

    activation: str
    loss: str
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    out_activation_: str
    n_features_in_: int

    def to_sklearn(self):
        """The fitted network as scikit-learn's MLPRegressor or MLPClassifier.

        It predicts the same: y's scale is folded into the last layer. What converts or
        inspects scikit-learn's networks (ONNX through skl2onnx, code generators) works
        with it. Its parameters are those of the network's shape, not of this fit, and
        its probabilities those of the network alone, without a posterior.

        Returns
        -------
        model : MLPRegressor or MLPClassifier
            Fitted.

        Raises
        ------
        NotFittedError
            Where fit has not been called.
        ValueError
            For an activation that scikit-learn does not have, for an ensemble, and for
            a log link where this scikit-learn has none (before 1.7).

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_diabetes
        >>> from skwd import WeightDecayMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = WeightDecayMLPRegressor(alpha=0.01, random_state=0).fit(X, y)
        >>> bool(np.allclose(model.to_sklearn().predict(X), model.predict(X)))
        True
        """
        check_is_fitted(self)
        if self.coefs_[0].ndim == 3:
            raise ValueError(
                f"to_sklearn is for one network; got an ensemble of "
                f"{len(self.coefs_[0])}. Fit with ensemble=False."
            )
        hidden = tuple(W.shape[1] for W in self.coefs_[:-1])
        if hidden and self.activation not in ACTIVATIONS_THERE:
            listed = ", ".join(repr(name) for name in ACTIVATIONS_THERE)
            raise ValueError(
                f"activation={self.activation!r} is not one of scikit-learn's, which "
                f"are {listed}. Fit with one of them."
            )
        activation = self.activation if hidden else "identity"
        how = {"hidden_layer_sizes": hidden, "activation": activation, "max_iter": 1}
        if not is_classifier(self) and self.out_activation_ == "exp":
            if "loss" not in MLPRegressor().get_params():
                raise ValueError(
                    f"loss={self.loss!r} has a log link, which scikit-learn's "
                    "MLPRegressor has since version 1.7. Install a newer one."
                )
            how["loss"] = "poisson"
        kind = MLPClassifier if is_classifier(self) else MLPRegressor
        model = _shaped(kind(**how), self._examples(), self.n_features_in_)
        scale, shift = self._output_units()
        coefs = [W.copy() for W in self.coefs_]
        intercepts = [b.copy() for b in self.intercepts_]
        coefs[-1] = coefs[-1] * scale
        intercepts[-1] = intercepts[-1] * scale + shift
        dtype = self.coefs_[0].dtype
        model.coefs_ = [W.astype(dtype) for W in coefs]
        model.intercepts_ = [b.astype(dtype) for b in intercepts]
        for name in ("loss_", "loss_curve_", "best_loss_", "n_iter_", "t_"):
            setattr(model, name, getattr(self, name))
        if hasattr(self, "feature_names_in_"):
            model.feature_names_in_ = self.feature_names_in_
        return model

    def _examples(self) -> np.ndarray:
        """Some y of the shape that was fitted."""
        raise NotImplementedError

    def _output_units(self) -> tuple[Any, Any]:
        """What the last layer's output is multiplied by, and what is added."""
        return 1.0, 0.0


def _shaped(model, y: np.ndarray, n_features: int):
    """A network of the right shape, fitted to nothing."""
    X = np.zeros((len(y), n_features))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its one epoch
        return model.fit(X, y)
