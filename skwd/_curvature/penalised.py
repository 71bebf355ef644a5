"""(Psi'Psi + scale)^-1, the penalised part of H, in three ways.

A spectrum serves any number of scales. One scale costs a tenth of it by a Cholesky
factor, of Psi'Psi + scale or of PsiPsi' + scale, whichever is smaller:

    (Psi'Psi + s)^-1 = (I - Psi' (PsiPsi' + s)^-1 Psi) / s
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas, cho_solve, cholesky, lapack, solve_triangular

from skwd._core.alpha_groups import AlphaGroups
from skwd._core.interface import Interface

# Cholesky factors are taken if the trace, before biases are eliminated, is no larger:
# where the data say that much more than the penalty, they lose too many digits.
MOST_TRACE = 1e8
# Directions that `Spectrum.leading` keeps, for each that the data determine: predictive
# deviations are then off by .2 percent on average, and never too small (ten networks of
# 50 and 100 units on five data sets).
KEPT = 2.0
# A basis of so few bytes is kept as it is: nothing is gained.
SMALL_BYTES = 1 << 16
# Differences of traces are taken down to this part of what is subtracted.
LEAST_REST = 1e-4


def of_samples(Psi: np.ndarray, groups: AlphaGroups, many_scales: bool) -> Penalised:
    """The penalised part from Psi (N, m), by N x N numbers."""
    if not many_scales:
        try:
            return OfSamples.of(Psi, groups)
        except np.linalg.LinAlgError:  # not positive definite, by rounding
            pass
    return Spectrum.of_samples(Psi, groups)


def of_parameters(S: np.ndarray, groups: AlphaGroups, many_scales: bool) -> Penalised:
    """The penalised part from S = Psi'Psi, by m x m numbers."""
    if not many_scales:
        try:
            return OfParameters.of(S, groups)
        except np.linalg.LinAlgError:
            pass
    return Spectrum.of_parameters(S, groups)


class Penalised(Interface, abstract=True):
    """The inverse of Psi'Psi + scale; psi is the penalised part of a Jacobian's row."""

    @abstractmethod
    def n_effective(self, scale: float) -> np.ndarray:
        """gamma of each group of alpha, (G,)."""

    @abstractmethod
    def log_det(self, scale: float) -> float:
        """ln|Psi'Psi / scale + I|."""

    @abstractmethod
    def quadratic_forms(self, psi: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """psi H^-1 psi': (b, c, m) -> (S, b, c, c)."""

    @abstractmethod
    def solve(self, psi: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """(m,) -> (S, m)."""


@dataclass(eq=False)
class Spectrum(Penalised):
    """Psi'Psi = V diag(ratio) V', and 0 beside V if there are fewer rows."""

    ratio: np.ndarray  # (q,)
    V: np.ndarray  # (m, q) orthonormal columns
    groups: AlphaGroups  # of the m parameters

    @classmethod
    def of_samples(cls, Psi: np.ndarray, groups: AlphaGroups) -> Spectrum:
        """The spectrum from N x N numbers."""
        ratio, U = np.linalg.eigh(Psi @ Psi.T)
        kept = ratio > len(ratio) * np.finfo(float).eps * ratio[-1]
        ratio = ratio[kept]
        return cls(ratio, Psi.T @ (U[:, kept] / np.sqrt(ratio)), groups)

    @classmethod
    def of_parameters(cls, S: np.ndarray, groups: AlphaGroups) -> Spectrum:
        """The spectrum from S = Psi'Psi."""
        ratio, V = np.linalg.eigh(S)
        return cls(np.maximum(ratio, 0.0), V, groups)  # but for rounding

    def leading(self) -> Spectrum:
        """The directions that the data say most of, in float32.

        What is left out has the variance of the prior, an upper bound.
        """
        gamma = (self.ratio / (self.ratio + 1.0)).sum()
        order = np.argsort(self.ratio)[::-1][: int(np.ceil(KEPT * gamma))]
        V = np.ascontiguousarray(self.V[:, order], dtype=np.float32)
        return Spectrum(self.ratio[order], V, self.groups)

    def n_effective(self, scale):
        determined = np.square(self.V) @ (self.ratio / (self.ratio + scale))
        return self.groups.sums(determined)

    def log_det(self, scale):
        return np.log1p(self.ratio / scale).sum()

    def _along(self, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of (..., m) along V, and what V leaves over."""
        along = np.matmul(psi, self.V)
        if self.V.shape[0] == self.V.shape[1]:
            return along, np.zeros((*psi.shape[:-1], 0))
        return along, psi - along @ self.V.T

    def quadratic_forms(self, psi, scales):
        along, rest = self._along(psi)
        if psi.shape[1] == 1:
            shrunk = 1.0 / (self.ratio[:, np.newaxis] + scales)  # (q, S)
            varying = np.matmul(np.square(along[:, 0]), shrunk).T[..., None, None]
        else:
            varying = np.stack(
                [gram(along / np.sqrt(self.ratio + scale)) for scale in scales]
            )
        return gram(rest) / scales[:, None, None, None] + varying

    def solve(self, psi, scales):
        along, rest = self._along(psi)
        if rest.size:  # what rounding has left along V would be divided by a scale
            more, rest = self._along(rest)
            along = along + more
        solved = (along / (self.ratio + scales[:, np.newaxis])) @ self.V.T
        return solved + rest / scales[:, np.newaxis] if rest.size else solved


@dataclass(eq=False)
class OfParameters(Penalised):
    """The sums by a Cholesky factor of Psi'Psi + scale."""

    S: np.ndarray  # (m, m) Psi'Psi
    groups: AlphaGroups
    root: np.ndarray  # of S + 1

    @classmethod
    def of(cls, S: np.ndarray, groups: AlphaGroups) -> OfParameters:
        """Factorised at scale 1; every other scale has a factor of its own."""
        return cls(S, groups, _factor(S, 1.0))

    def _root(self, scale: float) -> np.ndarray:
        return self.root if scale == 1.0 else _factor(self.S, scale)

    def n_effective(self, scale):
        inverse = _inverse_root(self._root(scale))
        return self.groups.sums(1.0 - scale * np.square(inverse).sum(axis=0))

    def log_det(self, scale):
        return _log_det_ratio(self._root(scale), scale)

    def quadratic_forms(self, psi, scales):
        flat = _rows(psi).T
        parts = [_divided(self._root(scale), flat).T for scale in scales]
        return np.stack([gram(part.reshape(psi.shape)) for part in parts])

    def solve(self, psi, scales):
        return np.stack([_solved(self._root(scale), psi) for scale in scales])


@dataclass(eq=False)
class OfSamples(Penalised):
    """The sums by a Cholesky factor of PsiPsi' + scale."""

    Psi: np.ndarray  # (N, m)
    K: np.ndarray  # (N, N) PsiPsi'
    groups: AlphaGroups
    root: np.ndarray  # of K + 1

    @classmethod
    def of(cls, Psi: np.ndarray, groups: AlphaGroups) -> OfSamples:
        """Factorised at scale 1; every other scale has a factor of its own."""
        K = Psi @ Psi.T
        return cls(Psi, K, groups, _factor(K, 1.0))

    def _root(self, scale: float) -> np.ndarray:
        return self.root if scale == 1.0 else _factor(self.K, scale)

    def n_effective(self, scale):
        # tr(K_g (K + scale)^-1), K_g of one group; of the largest it is what the others
        # leave, unless the difference has lost its digits.
        root, largest = self._root(scale), int(np.argmax(self.groups.counts))
        of_largest = self.groups.index == largest

        def determined(columns: np.ndarray) -> np.ndarray:
            found = np.zeros(len(columns))
            divided = _divided(root, self.Psi[:, columns])
            found[columns] = np.square(divided).sum(axis=0)
            return self.groups.sums(found)

        gamma = determined(~of_largest)
        inverse = np.square(_inverse_root(root)).sum()
        rest = len(root) - scale * inverse - gamma.sum()
        is_safe = rest > LEAST_REST * len(root)
        gamma[largest] = rest if is_safe else determined(of_largest)[largest]
        return gamma

    def log_det(self, scale):
        return _log_det_ratio(self._root(scale), scale)

    def quadratic_forms(self, psi, scales):
        shape, flat = psi.shape[:2], self.Psi @ _rows(psi).T
        known = [_divided(self._root(scale), flat).T for scale in scales]
        return np.stack(
            [
                (gram(psi) - gram(part.reshape(*shape, len(flat)))) / scale
                for part, scale in zip(known, scales)
            ]
        )

    def solve(self, psi, scales):
        known = np.stack(
            [_solved(self._root(scale), self.Psi @ psi) for scale in scales]
        )
        return (psi - known @ self.Psi) / scales[:, np.newaxis]


# Without any penalised parameter there are matrices of no rows, which LAPACK refuses.


def _rows(psi: np.ndarray) -> np.ndarray:
    """(b, c, m) -> (b * c, m)."""
    return psi.reshape(psi.shape[0] * psi.shape[1], psi.shape[2])


def _factor(matrix: np.ndarray, scale: float) -> np.ndarray:
    """The lower Cholesky factor of matrix + scale."""
    if not len(matrix):
        return matrix
    shifted = matrix.copy()
    shifted.flat[:: len(shifted) + 1] += scale
    return cholesky(shifted, lower=True, overwrite_a=True, check_finite=False)


def _divided(root: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """root^-1 columns."""
    if not columns.size:
        return columns
    return solve_triangular(root, columns, lower=True, check_finite=False)


def _solved(root: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """(root root')^-1 vector."""
    if not len(root):
        return vector
    return cho_solve((root, True), vector, check_finite=False)


def _inverse_root(root: np.ndarray) -> np.ndarray:
    """root^-1."""
    return lapack.dtrtri(root, lower=1)[0] if len(root) else root


def _log_det_ratio(root: np.ndarray, scale: float) -> float:
    """ln|root root' / scale|."""
    return 2.0 * np.log(np.diag(root)).sum() - len(root) * np.log(scale)


def gram(a: np.ndarray) -> np.ndarray:
    """(b, c, r) -> (b, c, c)."""
    return np.matmul(a, a.swapaxes(1, 2))


def subtract(matrix: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """matrix -= a b', in rows: new memory would cost more than the product itself."""
    assert matrix.flags.c_contiguous
    if matrix.size and a.size:
        blas.dgemm(-1.0, b.T, a.T, 1.0, matrix.T, trans_a=True, overwrite_c=True)
