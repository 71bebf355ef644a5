"""partial_fit: one epoch over the rows given, with all that exact resuming needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.utils import check_random_state

from skwd._activations import ACTIVATIONS
from skwd._distinct import rows_to_train_on
from skwd._layout import Layout
from skwd._network import Network
from skwd._objective import Objective, Sample
from skwd._parameters import check_alpha, check_hidden_layer_sizes, check_settings
from skwd._report import check_not_lost
from skwd._training import train_epoch
from skwd._validation import in_dtype, unchanged_on_failure

# Parameters that have no meaning for one epoch at a time: (name, value, reason).
_WHOLE_FITS = (
    ("early_stopping", True, "deciding it takes many epochs"),
    ("normalize_y", True, "the mean and deviation of all y are not known"),
    ("class_weight", "balanced", "the frequencies of all y are not known"),
)


def has_partial_fit(estimator) -> bool:
    """Whether an estimator's solver can continue epoch by epoch."""
    if estimator.solver in ("auto", "sgd", "adam"):
        return True
    raise AttributeError(
        f"solver={estimator.solver!r} has no partial_fit: it needs all rows at once. "
        "Use solver='adam' or 'sgd'."
    )


class PartialFitMixin:
    """`partial_fit` of both estimators, without its public signature."""

    def _partial_fit(self, X, y, sample_weight, **given):
        with unchanged_on_failure(self):
            self._one_epoch(X, y, sample_weight, **given)
        return self

    def _one_epoch(self, X, y, sample_weight, **given) -> None:
        settings = check_settings(self)
        if settings.solver == "auto":
            settings = replace(settings, solver="adam")
        self._check_one_epoch_suffices()
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        alpha = check_alpha(self.alpha, len(hidden) + 1)
        continued = hasattr(self, "coefs_")
        if not continued:
            self._seed = check_random_state(self.random_state).randint(2**31 - 1)

        X, y, weight = self._validate(X, y, sample_weight, reset=not continued)
        targets = self._targets(y, weight, continued, **given)
        if continued:
            X = in_dtype(X, self.coefs_[0].dtype)
        n_rows = X.shape[0]
        sample = Sample(X, *self._encode(targets, y, weight))
        sample = rows_to_train_on(sample, settings)
        targets.finish(sample, None)

        layout = Layout((X.shape[1], *hidden, sample.y.shape[1]))
        network = Network(layout, ACTIVATIONS[self.activation])
        if continued:
            how = "partial_fit", "Call fit, or use a new estimator,"
            params0 = self._stored_params(layout, targets.loss, *how)
        else:
            params0 = self._initial_params(layout, targets.loss, sample)
        objective = Objective(network, targets.loss, [sample], alpha[np.newaxis])
        progress, order = getattr(self, "_progress", None), self._order(continued)
        trained, progress = train_epoch(objective, params0, settings, progress, order)

        before = (self.n_iter_, self.t_) if continued else (0, 0)
        curve, lowest = (
            (self.loss_curve_, self.best_loss_) if continued else ([], np.inf)
        )
        trained.nit += before[0]
        check_not_lost(trained, settings)
        self._store(layout, targets, trained, [0], alpha, n_rows)
        self._progress = progress
        self._n_epochs = 1 + (self._n_epochs if continued else 0)
        self.t_ = before[1] + n_rows
        self.loss_curve_ = curve + self.loss_curve_
        self.best_loss_ = min(lowest, self.best_loss_)
        self.converged_ = False

    def _check_one_epoch_suffices(self) -> None:
        for name, value, reason in _WHOLE_FITS:
            given = getattr(self, name, None)
            if isinstance(given, (str, bool, np.bool_)) and given == value:
                raise ValueError(
                    f"partial_fit cannot be used with {name}={value!r}: {reason}. Use "
                    f"fit, or change {name}."
                )
        if self.n_init != 1:
            raise ValueError(
                f"partial_fit trains a single network; got n_init={self.n_init!r}. Use "
                "fit, or n_init=1."
            )
