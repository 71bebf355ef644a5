"""What both estimators share: check, encode, build the objective, minimise, store."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skwd._activations import ACTIVATIONS
from skwd._distinct import rows_to_train_on
from skwd._layout import Layout, initial_params
from skwd._losses import Loss
from skwd._network import Network
from skwd._objective import Objective, Sample
from skwd._parameters import check_alpha, check_hidden_layer_sizes, check_settings
from skwd._partial_fit import PartialFitMixin
from skwd._report import check_not_lost, warn_if_collapsed, warn_if_not_converged
from skwd._result import succeeded
from skwd._training import Trained, train
from skwd._validation import (
    check_sample_weight,
    check_some_weight,
    check_validation_data,
    in_dtype,
    unchanged_on_failure,
    validation_split,
)

CHECK_X = {"accept_sparse": "csr", "dtype": (np.float64, np.float32)}
CHECK_Y = {"accept_sparse": "csr", "dtype": None, "ensure_2d": False}
# The separate random streams of one random_state.
WEIGHTS, VALIDATION, SHUFFLING = 0, 1, 2


class BaseWeightDecayMLP(PartialFitMixin, BaseEstimator, metaclass=ABCMeta):
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
            parts = self._encode(targets, y, weight)
            training, validation = self._samples(X, targets, *parts)
        else:
            training = Sample(X, *self._encode(targets, y, weight))
            X, y, weight = self._validate(X_val, y_val, sample_weight_val, "_val")
            parts = targets.encode(y, weight, "y_val")
            validation = Sample(in_dtype(X, training.dtype), *parts)
            check_some_weight(validation.weight, "X_val and y_val")
        layout = Layout((X.shape[1], *hidden, training.y.shape[1]))
        n_rows, n_counted = len(training), np.count_nonzero(training.weight)
        settings = settings.resolved(n_counted, layout.n_params)
        training = rows_to_train_on(training, settings)
        targets.finish(training, validation)

        network = Network(layout, ACTIVATIONS[self.activation])
        if continued:
            how = "warm_start=True", "Set warm_start=False"
            params0 = self._stored_params(layout, targets.loss, *how)
        else:
            params0 = self._initial_params(layout, targets.loss, training)
        alphas = np.tile(alpha, (len(params0), 1))
        objective = Objective(network, targets.loss, [training], alphas)
        watched = None
        if validation is not None:
            watched = Objective(network, targets.loss, [validation], alphas)
        order = self._order(continued)
        trained = train(objective, params0, settings, watched, order)

        check_not_lost(trained, settings)
        networks = np.flatnonzero(~trained.lost) if self.ensemble else [trained.best]
        warn_if_not_converged(trained, networks, settings)
        params = trained.params[networks]
        if (training.y != training.y[0]).any():  # otherwise a constant is right
            warn_if_collapsed(layout, network.activation.gain, params, alpha)
        self._store(layout, targets, trained, networks, alpha, n_rows)
        self._n_epochs = self.n_iter_ + (self._n_epochs if continued else 0)

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

    def _encode(self, targets, y, weight):
        """y (n, n_outputs) and the weights that count, class weights among them."""
        Y, weight = targets.encode(y, weight)
        check_some_weight(weight, "sample_weight times class_weight")
        return Y, weight

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

    def _order(self, continued: bool) -> np.random.Generator:
        """What draws the order of the rows, another one when training goes on."""
        epochs = self._n_epochs if continued else 0
        return np.random.default_rng([self._seed, SHUFFLING, epochs])

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

    def _stored_params(self, layout: Layout, loss: Loss, by: str, anew: str):
        """The weights to continue from, those that predict now, (n_networks, P)."""
        params = self._params()
        stored = self._network().layout
        was_ensemble = self.coefs_[0].ndim == 3
        # An ensemble may hold fewer than n_init: diverged restarts were dropped.
        other_kind = was_ensemble != self.ensemble or len(params) > self.n_init
        held, asked = None, None
        if stored != layout:
            held = f"layers of {stored.layer_units} units"
            asked = f"the data and hidden_layer_sizes now ask for {layout.layer_units}"
        elif other_kind:
            held = f"an ensemble of {len(params)}" if was_ensemble else "one network"
            asked = f"ensemble={self.ensemble} and n_init={self.n_init} now ask for "
            asked += "another"
        else:
            for name, now in self._kind_of(loss).items():
                before = self._kind[name]
                if before != now:
                    held = f"a network of {name}={before!r}"
                    asked = f"{name}={now!r} now"
        if held is not None:
            raise ValueError(
                f"{by} continues {held}, but {asked}. {anew} to start anew."
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
        self.__dict__.pop("_progress", None)  # of an earlier partial_fit

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
        X = in_dtype(X, params.dtype)
        blocks = self._network().predict_blocks(params, X)
        return np.concatenate([combine(block) for block in blocks])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _targets(self, y, weight, continued: bool, classes=None):
        """What y is: an object of skwd._targets; ``classes`` are partial_fit's."""
