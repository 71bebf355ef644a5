"""fit and partial_fit of the estimators whose alpha is given."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.utils import check_random_state

from skwd._choice import train_choosing
from skwd._layout import Layout
from skwd._losses import Loss
from skwd._parameters import (
    CHOICES,
    check_alpha,
    check_hidden_layer_sizes,
    check_settings,
)
from skwd._path import train_path
from skwd._report import check_not_lost, report
from skwd._result import AlphaPath
from skwd._training import Trained, train_epoch
from skwd._validation import check_validation_data, in_dtype, unchanged_on_failure

# Parameters that have no meaning for one epoch at a time: (name, value, reason).
_WHOLE_FITS = (
    ("early_stopping", True, "deciding it takes many epochs"),
    ("normalize_y", True, "the mean and deviation of all y are not known"),
    ("class_weight", "balanced", "the frequencies of all y are not known"),
)


def draw_seed(random_state) -> int:
    """The seed of all random streams of one fit."""
    return int(check_random_state(random_state).randint(2**31 - 1))


def has_partial_fit(estimator) -> bool:
    """Whether an estimator's solver can continue epoch by epoch."""
    by_name = isinstance(estimator.alpha, str) and estimator.alpha in CHOICES
    if by_name or estimator.posterior:
        name = f"alpha={estimator.alpha!r}" if by_name else "posterior=True"
        raise AttributeError(
            f"{name} has no partial_fit: it needs a whole fit, to a minimum of J. Use "
            "fit."
        )
    if estimator.solver in ("auto", "sgd", "adam"):
        return True
    raise AttributeError(
        f"solver={estimator.solver!r} has no partial_fit: it needs all rows at once. "
        "Use solver='adam' or 'sgd'."
    )


class FitMixin:
    """`fit`, and `partial_fit` without its public signature."""

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
        settings, alpha = self._check_parameters()
        check_validation_data(self, X_val, y_val, sample_weight_val)
        continued = self.warm_start and hasattr(self, "coefs_")
        data = self._begin(X, y, sample_weight, continued)
        targets = self._targets(data.y, data.weight, continued)
        held_out = None
        if X_val is not None:
            held_out = self._validate(X_val, y_val, sample_weight_val, "_val")
        start, epochs = None, 0
        # A constant, where no alpha found a signal, has nothing to go on from.
        if continued and any(np.any(W) for W in self.coefs_):
            how = {"by": "warm_start=True", "anew": "Set warm_start=False"}
            start, epochs = partial(self._stored_params, **how), self._n_epochs
        parts = data, held_out, settings, self._seed, None, targets, start, epochs
        problem, targets = self._problem(*parts)
        if isinstance(alpha, str):
            trained = train_choosing(problem, alpha, per_layer=self.alpha_per_layer)
        else:
            trained = train_path([problem], alpha[np.newaxis])
        report(problem, trained, self.ensemble, self.alpha)
        self._store(problem, targets, trained, self._shown(trained))
        self._store_path(trained.path[trained.best])
        self._n_epochs = self.n_iter_ + epochs

    def _check_parameters(self):
        settings = check_settings(self)
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        return settings, check_alpha(self.alpha, len(hidden) + 1)

    def _begin(self, X, y, sample_weight, continued: bool):
        """The checked data; a fit that continues nothing draws its seed."""
        if not continued:
            self._seed = draw_seed(self.random_state)
        return self._validate(X, y, sample_weight, reset=not continued)

    def _shown(self, trained: Trained) -> float | np.ndarray:
        """alpha_ of the best network: one number where one was given or asked for."""
        if isinstance(self.alpha, str):
            alpha = trained.alpha[trained.best]
            return alpha if self.alpha_per_layer else float(alpha[0])
        return float(self.alpha) if np.ndim(self.alpha) == 0 else trained.alpha[0]

    def _store_path(self, path: AlphaPath | None) -> None:
        """Keep what a search for alpha has seen, if there was one."""
        for name in ("alphas_", "alpha_scores_", "alpha_score_errors_"):
            self.__dict__.pop(name, None)
        if path is not None:
            self.alphas_, self.alpha_scores_ = path.alphas, -path.losses
            self.alpha_score_errors_ = path.errors

    def _stored_params(self, layout: Layout, loss: Loss, *_, by: str, anew: str):
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

    def _partial_fit(self, X, y, sample_weight, **given):
        with unchanged_on_failure(self):
            self._one_epoch(X, y, sample_weight, **given)
        return self

    def _one_epoch(self, X, y, sample_weight, **given) -> None:
        settings, alpha = self._check_parameters()
        if settings.solver == "auto":
            settings = replace(settings, solver="adam")
        self._check_one_epoch_suffices()
        continued = hasattr(self, "coefs_")
        data = self._begin(X, y, sample_weight, continued)
        targets = self._targets(data.y, data.weight, continued, **given)
        start, epochs, t, curve, lowest = None, 0, 0, [], np.inf
        if continued:
            how = {"by": "partial_fit", "anew": "Call fit, or use a new estimator,"}
            start = partial(self._stored_params, **how)
            data = data._replace(X=in_dtype(data.X, self.coefs_[0].dtype))
            epochs, t = self._n_epochs, self.t_
            curve, lowest = self.loss_curve_, self.best_loss_
        parts = data, None, settings, self._seed, None, targets, start, epochs
        problem, targets = self._problem(*parts)
        trained, progress = train_epoch(
            problem.objective(alpha),
            problem.params0,
            problem.settings,
            getattr(self, "_progress", None),
            problem.order,
        )
        trained.nit += self.n_iter_ if continued else 0
        check_not_lost(trained, settings)
        self._store(problem, targets, trained, self._shown(trained))
        self._store_path(None)
        self._progress = progress
        self._n_epochs = epochs + 1
        self.t_ = t + problem.n_rows
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
