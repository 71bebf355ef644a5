"""What estimators keep of a posterior, and how it tells predictions their error."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from skwd._curvature.factors import factors_of
from skwd._network import row_block
from skwd._path import Problem
from skwd._training import Trained

# Fitted attributes that there are only with a posterior or an alpha by name.
_ATTRIBUTES = ("_laplace", "log_evidence_", "n_effective_params_", "noise_std_")


class PosteriorMixin:
    """A Gaussian about the weights of each network that predicts."""

    def _store_posterior(
        self, problem: Problem, trained: Trained, networks: np.ndarray
    ) -> None:
        """Keep what alpha by name or posterior=True asks for, and nothing else."""
        for name in _ATTRIBUTES:
            self.__dict__.pop(name, None)
        by_name = isinstance(getattr(self, "alpha", None), str)
        if not (by_name or self.posterior):
            return
        self._warn_if_moving(problem, trained, networks)
        found = [
            trained.laplace[k] or problem.laplace(trained.params[k], trained.alpha[k])
            for k in networks
        ]
        best = found[int(np.flatnonzero(networks == trained.best)[0])]
        self.log_evidence_ = best.log_evidence
        self.n_effective_params_ = best.dof
        if problem.loss.has_noise:
            noise = np.sqrt(best.noise) * self.y_scale_
            self.noise_std_ = noise if self._y_shape else float(noise[0])
        if self.posterior or is_regressor(self):
            self._laplace = found

    def _warn_if_moving(self, problem, trained, networks) -> None:
        """Name a gradient that solvers by batches leave behind."""
        if np.isfinite(trained.grad_norm[networks]).all():
            return  # their convergence has been judged by it
        objective = problem.objective(trained.alpha[networks])
        _, gradient = objective.loss_gradient(trained.params[networks])
        largest = np.abs(gradient).max()
        if largest > self.tol:
            warnings.warn(
                f"posterior=True is that of a minimum, but solver="
                f"{problem.settings.solver!r} has left a largest gradient entry of "
                f"{largest:.2g} (tol={self.tol:g}). Use solver='lbfgs'.",
                UserWarning,
                stacklevel=6,
            )

    def _noise(self) -> np.ndarray:
        """Variance of y about each network, in scaled units, (K, n_outputs)."""
        return np.array([each.noise for each in self._laplace])

    def _posterior_blocks(self, X, combine: Callable) -> np.ndarray:
        """``combine`` of raw predictions (K, b, o) and their covariances, by blocks."""
        check_is_fitted(self)
        if "_laplace" not in self.__dict__:
            raise ValueError(
                "return_std=True needs a posterior, and this estimator was fitted "
                "without. Fit it with posterior=True, or alpha='evidence'."
            )
        params, X = self._to_predict(X)
        dtype, params = params.dtype, params.astype(np.float64)
        network, step = self._network(), min(e.curvature.n_rows for e in self._laplace)
        parts = []
        for start in range(0, X.shape[0], step):
            rows = row_block(X, slice(start, start + step)).astype(np.float64)
            raws, covariances = [], []
            for w, laplace in zip(params, self._laplace):
                raw, factors = factors_of(network, w, rows)
                raws.append(raw)
                covariances.append(laplace.covariance(factors))
            parts.append(combine(np.stack(raws), np.stack(covariances)).astype(dtype))
        return np.concatenate(parts)
