"""What both estimators share: check, encode, build the objective, minimise, store."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skwd._activations import ACTIVATIONS
from skwd._distinct import distinct_rows
from skwd._layout import Layout, initial_params
from skwd._losses import Loss
from skwd._network import Network
from skwd._objective import Objective, Sample
from skwd._report import check_not_lost, warn_if_collapsed, warn_if_not_converged
from skwd._result import succeeded
from skwd._training import Trained, train
from skwd._validation import (
    check_alpha,
    check_hidden_layer_sizes,
    check_sample_weight,
    check_settings,
    check_some_weight,
    check_validation_data,
    unchanged_on_failure,
    validation_split,
)

CHECK_X = {"accept_sparse": "csr", "dtype": (np.float64, np.float32)}
CHECK_Y = {"accept_sparse": "csr", "dtype": None, "ensure_2d": False}
# The separate random streams of one random_state.
WEIGHTS, VALIDATION = 0, 1


class BaseWeightDecayMLP(BaseEstimator, metaclass=ABCMeta):
    """The common fit; the subclasses know their targets, loss and predictions."""

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Fit the network to the data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float32 is kept, anything else becomes float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            s_i of the objective; 2 is a repeated row, 0 a removed one.
        X_val, y_val : array-like, optional
            Validation data for ``early_stopping=True``, in the place of
            ``validation_fraction`` of X and y.
        sample_weight_val : array-like of shape (n_val,), optional
            Weights of the validation data.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            For parameters or data out of range, before any training, and when
            training diverges. The estimator is then as it was.
        """
        with unchanged_on_failure(self):
            self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)
        return self

    def _fit(self, X, y, sample_weight, X_val, y_val, sample_weight_val) -> None:
        settings = check_settings(self)
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        alpha = check_alpha(self.alpha, len(hidden) + 1)
        check_validation_data(self, X_val, y_val, sample_weight_val)
        continued = self.warm_start and hasattr(self, "coefs_")
        if not continued:
            self._seed = check_random_state(self.random_state).randint(2**31 - 1)

        X, y, weight = self._validate(X, y, sample_weight, reset=not continued)
        targets = self._targets(y, weight, continued)
        if X_val is None:
            training, validation = self._samples(X, targets, *targets.encode(y, weight))
        else:
            training = Sample(X, *targets.encode(y, weight))
            X, y, weight = self._validate(X_val, y_val, sample_weight_val, "_val")
            parts = targets.encode(y, weight, "y_val")
            validation = Sample(X.astype(training.dtype), *parts)
            check_some_weight(validation.weight, "X_val and y_val")
        n_rows, training = len(training), distinct_rows(training)
        targets.finish(training, validation)

        layout = Layout((X.shape[1], *hidden, training.y.shape[1]))
        network = Network(layout, ACTIVATIONS[self.activation])
        start = self._stored_params if continued else self._initial_params
        params0 = start(layout, targets.loss, training)
        alphas = np.tile(alpha, (len(params0), 1))
        objective = Objective(network, targets.loss, [training], alphas)
        watched = None
        if validation is not None:
            watched = Objective(network, targets.loss, [validation], alphas)
        trained = train(objective, params0, settings, watched)

        check_not_lost(trained, settings)
        networks = np.flatnonzero(~trained.lost) if self.ensemble else [trained.best]
        warn_if_not_converged(trained, networks, settings)
        params = trained.params[networks]
        if (training.y != training.y[0]).any():  # otherwise a constant is right
            warn_if_collapsed(layout, network.activation.gain, params, alpha)
        self._store(layout, targets, trained, networks, alpha, n_rows)

    def _validate(self, X, y, sample_weight, suffix="", reset=False):
        """X, y and weights, checked; ``suffix`` is "_val" for validation data."""
        if suffix:  # the same checks, in messages that name the validation data
            validate_data(self, X, reset=False, skip_check_array=True)
            X = check_array(X, **CHECK_X, input_name="X_val", estimator=self)
            y = check_array(y, **CHECK_Y, input_name="y_val", estimator=self)
            check_consistent_length(X, y)
        else:
            X, y = validate_data(self, X, y, reset=reset, multi_output=True, **CHECK_X)
        name = "sample_weight" + suffix
        return X, y, check_sample_weight(sample_weight, X.shape[0], name)

    def _samples(self, X, targets, Y, weight) -> tuple[Sample, Sample | None]:
        """The rows to train on and, when stopping early, those held out."""
        if not self.early_stopping:
            return Sample(X, Y, weight), None
        rng = np.random.default_rng([self._seed, VALIDATION])
        counted = np.flatnonzero(weight)  # a weight of 0 is a removed row
        parts = validation_split(
            len(counted),
            self.validation_fraction,
            int(rng.integers(2**31 - 1)),
            targets.strata(Y[counted]),
        )
        training, validation = (
            Sample(X, Y[rows], weight[rows], rows)
            for rows in (counted[part] for part in parts)
        )
        return training, validation

    def _initial_params(self, layout: Layout, loss: Loss, sample: Sample) -> np.ndarray:
        rngs = [
            np.random.default_rng([self._seed, WEIGHTS, restart])
            for restart in range(self.n_init)
        ]
        gain = ACTIVATIONS[self.activation].gain
        params0 = initial_params(layout, gain, rngs)
        bias = layout.b(params0, layout.n_weight_layers - 1)
        bias[:] = loss.constant(sample.share @ sample.y)
        return params0

    def _stored_params(self, layout: Layout, loss: Loss, sample: Sample) -> np.ndarray:
        """The weights a warm start continues from: those that predict now."""
        params = self._params()
        stored = self._network().layout
        if stored != layout:
            raise ValueError(
                f"warm_start=True continues layers of {stored.layer_units} units, but "
                f"the data and hidden_layer_sizes now ask for {layout.layer_units}. "
                "Set warm_start=False to start anew."
            )
        was_ensemble = self.coefs_[0].ndim == 3
        # An ensemble may hold fewer than n_init: diverged restarts were dropped.
        if was_ensemble != self.ensemble or len(params) > self.n_init:
            kind = f"an ensemble of {len(params)}" if was_ensemble else "one network"
            raise ValueError(
                f"warm_start=True continues {kind}, but ensemble="
                f"{self.ensemble} and n_init={self.n_init} now ask for another. Set "
                "warm_start=False to start anew."
            )
        before = self._kind
        for name, now in self._kind_of(loss).items():
            if before[name] != now:
                raise ValueError(
                    f"warm_start=True continues a network of {name}={before[name]!r}, "
                    f"but {name}={now!r} now. Set warm_start=False to start anew."
                )
        return params.astype(np.float64)

    def _store(
        self, layout, targets, trained: Trained, networks, alpha, n_rows
    ) -> None:
        best = trained.best
        coefs, intercepts = layout.split(trained.params[networks])
        if not self.ensemble:
            coefs = [coef[0] for coef in coefs]
            intercepts = [intercept[0] for intercept in intercepts]
        self.coefs_, self.intercepts_ = coefs, intercepts
        self.n_layers_ = len(layout.layer_units)
        self.n_outputs_ = layout.layer_units[-1]
        self.out_activation_ = targets.loss.out_activation
        self._kind = self._kind_of(targets.loss)
        self.alpha_ = float(self.alpha) if np.ndim(self.alpha) == 0 else alpha
        self.loss_ = float(trained.loss[best])
        self.loss_curve_ = trained.loss_curve[best]
        self.best_loss_ = min(self.loss_curve_, default=self.loss_)
        self.validation_scores_ = self.best_validation_score_ = None
        if self.early_stopping:
            self.validation_scores_ = [-v for v in trained.validation_curve[best]]
            self.best_validation_score_ = -float(trained.best_validation[best])
        self.n_iter_ = int(trained.nit[best])
        self.t_ = self.n_iter_ * n_rows
        self.converged_ = bool(succeeded(trained.status[networks]).all())
        self.__dict__.update(targets.fitted())

    def _kind_of(self, loss: Loss) -> dict:
        """What the weights mean beside their shapes, kept as fitted."""
        return {
            "activation": self.activation,
            "out_activation_": loss.out_activation,
            "normalize_y": getattr(self, "normalize_y", False),
        }

    def _params(self) -> np.ndarray:
        """The stored weights as one flat buffer, (n_networks, P)."""
        coefs = [W if W.ndim == 3 else W[np.newaxis] for W in self.coefs_]
        intercepts = [b if b.ndim == 2 else b[np.newaxis] for b in self.intercepts_]
        return self._network().layout.join(coefs, intercepts)

    def _network(self) -> Network:
        units = [W.shape[-2] for W in self.coefs_] + [self.coefs_[-1].shape[-1]]
        return Network(Layout(tuple(units)), ACTIVATIONS[self._kind["activation"]])

    def _predict_blocks(self, X, combine) -> np.ndarray:
        """``combine`` of the raw predictions (K, b, n_outputs), block after block."""
        check_is_fitted(self)
        params = self._params()
        X = validate_data(self, X, reset=False, **CHECK_X)
        X = X.astype(params.dtype, copy=False)
        blocks = self._network().predict_blocks(params, X)
        return np.concatenate([combine(block) for block in blocks])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _targets(self, y, weight, continued: bool):
        """What y is: an object of skwd._targets."""
