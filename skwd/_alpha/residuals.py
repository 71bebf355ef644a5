"""What residuals ask for: the log Bayes factor of a polynomial in each column of X."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from skwd._alpha.column_fits import ColumnProblem

DEGREE = 4  # of the polynomials; 2 or 8: no change on three tables


class Bases:
    """Orthonormal polynomials of every group of columns, about their means.

    Parameters
    ----------
    problem : ColumnProblem
    """

    def __init__(self, problem: ColumnProblem):
        sample = problem.task.training
        self.root = np.sqrt(sample.norm_weight * sample.total_weight)[:, np.newaxis]
        self.bases = [self._basis(problem, group) for group in problem.members]

    def _basis(self, problem: ColumnProblem, columns: np.ndarray) -> np.ndarray:
        X = problem.X[:, columns]
        X = (X.toarray() if sparse.issparse(X) else X).astype(np.float64)
        mean_weight = np.square(self.root) / np.square(self.root).sum()
        X = X - (mean_weight * X).sum(axis=0)
        X /= np.abs(X).max(axis=0) + np.finfo(float).tiny
        parts = [
            np.polynomial.legendre.legvander(column, DEGREE)[:, 1:] for column in X.T
        ]
        B = np.concatenate(parts, axis=1)
        B = self.root * (B - (mean_weight * B).sum(axis=0))
        U, values, _ = np.linalg.svd(B, full_matrices=False)
        return U[:, values > 1e-8 * max(values[0], np.finfo(float).tiny)]

    def gains(self, residual: np.ndarray) -> np.ndarray:
        """The log Bayes factor of each group for residuals (n, n_outputs).

        At the best variance v of the polynomial's m coefficients, in units of the noise
        and with S their sum of squares: max_v S/2 v / (1 + v) - m/2 ln(1 + v).
        """
        weight = np.square(self.root)
        residual = residual - (weight * residual).sum(axis=0) / weight.sum()
        variance = (weight * np.square(residual)).sum(axis=0) / weight.sum()
        varies = variance > 0.0
        r = self.root * residual[:, varies] / np.sqrt(variance[varies])
        found = np.zeros(len(self.bases))
        for group, U in enumerate(self.bases):
            S, m = np.square(U.T @ r).sum(), U.shape[1] * r.shape[1]
            if S > m:
                found[group] = 0.5 * (S - m - m * np.log(S / m))
        return found
