"""What estimators keep of a posterior, and how it tells predictions their error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skwd._core.rows import moved, row_block
from skwd._curvature.factors import factors_of
from skwd._estimators.warnings import warn
from skwd._solvers.problem import Problem
from skwd._solvers.training import Trained

# From a minimum that is this far off, in units of the log-density, a posterior differs.
MOST_NATS = 1.0
# A variance whose root, and whose sums, are numbers still.
HUGE = 1e300
# Fitted attributes that there are only with a posterior or an alpha by name.
_ATTRIBUTES = (
    "_laplace",
    "_origin",
    "_pending",
    "log_evidence_",
    "n_effective_params_",
    "noise_std_",
)


class PosteriorMixin:
    """A Gaussian about the weights of each network that predicts."""

    def _store_posterior(
        self, problem: Problem, trained: Trained, networks: np.ndarray, lazily: bool
    ) -> None:
        """Keep what alpha by name or posterior=True asks for, and nothing else."""
        for name in _ATTRIBUTES:
            self.__dict__.pop(name, None)
        by_name = isinstance(getattr(self, "alpha", None), str)
        if not (by_name or self.posterior):
            return
        if lazily:
            self._pending = problem, trained, networks
            return
        found = [
            trained.laplace[k] or problem.laplace(trained.params[k], trained.alpha[k])
            for k in networks
        ]
        if problem.settings.solver != "lbfgs":  # whose convergence has been judged
            self._warn_if_moving(problem, trained, networks, found)
        best = found[int(np.flatnonzero(networks == trained.best)[0])]
        self.log_evidence_ = best.log_evidence
        self.n_effective_params_ = best.dof
        if problem.loss.has_noise:
            noise = np.sqrt(best.noise) * self.y_scale_
            self.noise_std_ = noise if self._y_shape else float(noise[0])
        if self.posterior:
            self._laplace, self._origin = found, problem.training.origin

    def _warn_if_moving(self, problem, trained, networks, found) -> None:
        """Name it when a first-order solver has stopped away from the minimum."""
        objective = problem.objective(trained.alpha[networks])
        _, gradients = objective.loss_gradient(trained.params[networks])
        for g, laplace in zip(gradients, found):
            fall = 0.5 * g @ laplace.curvature.solve(g, np.ones(1))[0]
            nats = laplace.n * fall / laplace.noise.mean()
            if nats > MOST_NATS:
                warn(
                    "posterior=True is that of a minimum, but solver="
                    f"{problem.settings.solver!r} has stopped where the posterior "
                    f"density is e^{nats:.2g} times lower. Use solver='lbfgs'."
                )
                return

    def _has_posterior(self) -> bool:
        return not {"_laplace", "_pending"}.isdisjoint(self.__dict__)

    def _noise(self) -> np.ndarray:
        """Variance of y about each network, in scaled units, (K, n_outputs)."""
        return np.array([each.noise for each in self._laplace])

    @np.errstate(over="ignore", invalid="ignore")
    def _posterior_blocks(self, X, combine: Callable) -> np.ndarray:
        """``combine`` of raw predictions (K, b, o) and their covariances, by blocks."""
        check_is_fitted(self)
        if "_pending" in self.__dict__:
            self._store_posterior(*self.__dict__.pop("_pending"), False)
        if not self._has_posterior():
            raise ValueError(
                "return_std=True needs a posterior, and this estimator was fitted "
                "without. Fit it with posterior=True."
            )
        params, X = self._to_predict(X)
        dtype, network = params.dtype, self._network()
        params = moved(network.layout, params.astype(np.float64), self._origin, 1.0)
        step = min(e.curvature.n_rows for e in self._laplace)
        parts = []
        for start in range(0, X.shape[0], step):
            some = slice(start, start + step)
            rows = row_block(X, some, origin=self._origin).astype(np.float64)
            raws, covariances = [], []
            for w, laplace in zip(params, self._laplace):
                raw, factors = factors_of(network, w, rows)
                covariance = laplace.covariance(factors)
                # So far from the training rows that nothing is known.
                lost = ~np.isfinite(covariance).all(axis=(-1, -2))
                covariance[lost] = HUGE * np.eye(raw.shape[1])
                raws.append(raw)
                covariances.append(covariance)
            parts.append(combine(np.stack(raws), np.stack(covariances)).astype(dtype))
        return np.concatenate(parts)
