"""partial_fit: where it is to be had, why not elsewhere, and one epoch of it."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from skwd._alpha.choice import AlphaChoice
from skwd._alpha.scales import default_alpha
from skwd._estimators.one_fit import OneFitMixin
from skwd._estimators.parameter_values import ALPHA_NAMES
from skwd._estimators.tasks import Earlier
from skwd._estimators.validation import in_dtype, unchanged_on_failure
from skwd._solvers.failures import check_any_usable
from skwd._solvers.first_order import FirstOrder
from skwd._solvers.registry import solvers_with
from skwd._solvers.training import train_epoch

# partial_fit takes its rows for a part of at least so many, when alpha is None.
STREAM_ROWS = 1000.0

# Parameters that have no meaning for one epoch at a time: (name, value, reason).
_WHOLE_FITS = (
    ("posterior", True, "it needs a whole fit, to a minimum of J"),
    ("early_stopping", True, "deciding it takes many epochs"),
    ("class_weight", "balanced", "the frequencies of all y are not known"),
    ("sparsity", "adaptive", "its second stage needs the end of the first"),
)


def has_partial_fit(estimator) -> bool:
    """Whether an estimator's solver can continue epoch by epoch."""
    n_init, why = estimator.n_init, "it needs a whole fit, to a minimum of J"
    by_name = [("alpha", name, why) for name in ALPHA_NAMES]
    for name, value, reason in (*by_name, *_WHOLE_FITS):
        given = getattr(estimator, name, None)
        if isinstance(given, (str, bool, np.bool_)) and given == value:
            raise AttributeError(
                f"{name}={value!r} has no partial_fit: {reason}. Use fit, or change "
                f"{name}."
            )
    intervals = getattr(estimator, "intervals", None)
    if intervals is not None and intervals is not False:
        raise AttributeError(
            f"intervals={intervals!r} has no partial_fit: it needs all rows, in folds. "
            "Use fit, or intervals=None."
        )
    if isinstance(n_init, Integral) and int(n_init) > 1:
        raise AttributeError(
            f"n_init={n_init!r} has no partial_fit: it trains a single network. Use "
            "fit, or n_init=1."
        )
    able = solvers_with("has_epochs")
    if estimator.solver in ("auto", *able):
        return True
    listed = " or ".join(repr(name) for name in sorted(able))
    raise AttributeError(
        f"solver={estimator.solver!r} has no partial_fit: it needs all rows at once. "
        f"Use solver={listed}."
    )


class PartialFitMixin(OneFitMixin):
    """partial_fit without its public signature."""

    def _partial_fit(self, X, y, sample_weight, **given):
        with unchanged_on_failure(self):
            self._one_epoch(X, y, sample_weight, **given)
        return self

    def _one_epoch(self, X, y, sample_weight, **given) -> None:
        solver, alpha = self._check_parameters(by_epochs=True)
        continued = hasattr(self, "coefs_")
        data = self._begin(X, y, sample_weight, continued)
        targets = self._targets(data.y, data.weight, continued, one_epoch=True, **given)
        start, epochs, t, curve, lowest, rates = None, 0, 0, [], np.inf, []
        norms: np.ndarray | None = None
        progress = self.__dict__.get("_partial_fit_state") if continued else None
        origin = None if progress is None else progress.origin
        if continued:
            start = self._start("partial_fit")
            data = data._replace(X=in_dtype(data.X, self.coefs_[0].dtype))
            epochs, t = self._n_epochs, self.t_
            curve = self.loss_curve_
            lowest = np.inf if self.best_loss_ is None else self.best_loss_
            rates = self.learning_rates_
            if "gradient_norms_" in self.__dict__:
                norms = self.gradient_norms_
        earlier = Earlier(targets, start, epochs, origin)
        task, targets = self._task(data, solver, self._seed, earlier=earlier)
        if alpha is None:
            alpha = default_alpha(task, STREAM_ROWS)
        assert isinstance(task.solver, FirstOrder)
        fit, progress = train_epoch(
            task.objective(alpha),
            task.params0,
            task.solver,
            progress,
            task.order,
        )
        trained = AlphaChoice.of(fit)
        trained.nit += self.n_iter_ if continued else 0
        check_any_usable(trained, task)
        self._store(task, targets, trained, self._shown(trained))
        self._store_path(None)
        self._partial_fit_state = progress
        self._n_epochs = epochs + 1
        self.t_ = t + task.n_rows
        self.loss_curve_ = curve + self.loss_curve_
        self.learning_rates_ = rates + self.learning_rates_
        if norms is not None and self.track_gradients:
            self.gradient_norms_ = np.concatenate([norms, self.gradient_norms_])
        self.best_loss_ = min(lowest, *self.loss_curve_)
        self.converged_ = False
