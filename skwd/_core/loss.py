"""What a loss is: value and gradient by the raw prediction, the link, the constant.

``l(y, raw)`` is the loss of one sample, SUMMED over targets, with the 1/2 that the name
says; the raw prediction is the network's output before the inverse link. Shapes: y
(n, n_targets), raw (K, n, n_raw), losses (K, n); any leading axes that broadcast will
do for K. Most losses have one raw output for each target.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from skwd._core.interface import Interface, asked

# Class frequencies below this start as if they were this: a logit of +-9, not inf. So
# do counts that are all zero.
FREQUENCY_FLOOR = 1e-4

T = TypeVar("T", bound="Loss")
Moments = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Domain(NamedTuple):
    """The targets that a loss is defined for: y >= least, or y > least."""

    least: float
    is_excluded: bool = False


class Likelihood(Interface, abstract=True):
    """The distribution of y whose negative log-density is the loss.

    Evidence, leave-one-out and posteriors need it; a loss without one has None.
    """

    # The loss is a squared distance in units of a noise that is estimated; otherwise
    # its noise is known, as that of counts and classes is.
    estimates_noise: ClassVar[bool] = False
    of_classes: ClassVar[bool] = False  # probabilities, which know a worst loss
    shift_invariant: ClassVar[bool] = False  # a number added to a row changes nothing

    @abstractmethod
    def curvature_root(self, raw: np.ndarray) -> np.ndarray:
        """R' (..., c, n_raw) with R R' = d2l/draw2: one row is a column of R."""

    @abstractmethod
    def marginalised(self, raw: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """The raw prediction whose inverse link is the mean of that of a Gaussian.

        N(raw, covariance), with covariance (..., n_raw, n_raw).
        """

    def saturated_log_likelihood(self, y: np.ndarray) -> np.ndarray:
        """The log-likelihood (n,) of samples whose loss is 0, where noise is known.

        The log-likelihood is that minus the loss.
        """
        return np.zeros(len(y))

    def variance(
        self, prediction: np.ndarray, raw_variance: np.ndarray, noise: np.ndarray
    ) -> np.ndarray:
        """The variance of numeric y about the prediction of each network.

        It is that of y for a given network, plus that of the prediction as the network
        varies within its posterior: ``prediction`` and the variance of the raw
        prediction are (K, n, n_targets), noise is (K, n_targets).
        """
        raise NotImplementedError("Classes have probabilities.")


class Loss(Interface, abstract=True):
    """What the objective and the estimators ask of a loss.

    A loss with parameters is a frozen dataclass. Parameters that follow from the rows
    trained on are arrays (n_targets,); in a stack they may differ from network to
    network, and are (K, 1, n_targets) then, or (K, 1, 1) where they are numbers.
    """

    name: ClassVar[str] = asked()
    out_activation: ClassVar[str] = asked()  # the inverse link, by scikit-learn's name
    # c of alpha=None, which is c / sum s: of least mean regret on real tables, with and
    # without much noise, at 100 to 5000 rows (benchmarks/default_alpha.py).
    default_decay: ClassVar[float] = asked()
    domain: Domain | None = None  # None: every number
    # Whether it is quadratic in raw: the minimum of a linear model is then one system.
    is_quadratic: ClassVar[bool] = False
    likelihood: Likelihood | None = None
    # From y (n, n_targets) and weights (n,) the origin and the deviation, (n_targets,),
    # that y is scaled by; None where the loss has no use for other units.
    moments: Moments | None = None
    # In a stack: which parameters differ from network to network.
    stacked_parameters: tuple[str, ...] = ()
    # scikit-learn's name of the metric that this loss goes by, and its arguments.
    metric: tuple[str, Mapping[str, Any]] = ("r2_score", {})
    # Whether what it learns from y can be learnt from a part of the targets of a row.
    may_be_masked: ClassVar[bool] = True

    @abstractmethod
    def loss(self, y: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """The losses; ``raw`` is left as it is."""

    @abstractmethod
    def gradient(self, raw: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
        """Write dl/draw to ``out``, which may be ``raw`` itself."""

    @abstractmethod
    def inverse_link(self, raw: np.ndarray) -> np.ndarray:
        """The prediction (..., n_targets), from the raw one."""

    @abstractmethod
    def constant(self, y: np.ndarray, norm_weight: np.ndarray) -> np.ndarray:
        """The raw prediction (n_raw,) of the best constant for y, weights (n,)."""

    # What J, dl/draw and alpha are counted in, (n_targets,): units of y where nothing
    # else frees the loss of them, else 1.

    def curvature(self, y: np.ndarray, norm_weight: np.ndarray) -> np.ndarray:
        """The mean d2l/draw2 at the best constant for y, which goes with J."""
        return np.ones(y.shape[1])

    def slope(self, y: np.ndarray, norm_weight: np.ndarray) -> np.ndarray:
        """Minus the derivative of dl/draw by y, at the best constant."""
        return np.ones(y.shape[1])

    def default_unit(self, y: np.ndarray, norm_weight: np.ndarray) -> np.ndarray:
        """The deviation of dl/draw there, which the default alpha is a multiple of."""
        return np.ones(y.shape[1])

    def linear_curvature(self, y: np.ndarray, norm_weight: np.ndarray) -> float | None:
        """q, where q/2 (y - raw)^2 is close to the loss of a linear model.

        None where ridge on y does not tell how much decay a linear model needs.
        """
        return None

    def loss_gradient(self, y: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """The losses; ``raw`` is overwritten with dl/draw."""
        losses = self.loss(y, raw)
        self.gradient(raw, y, raw)
        return losses

    def n_raw(self, n_targets: int) -> int:
        """How many raw outputs the network has."""
        return n_targets

    def with_parameters(self: T, parameters: Mapping[str, Any]) -> T:
        """A copy with the parameters of an estimator that this loss uses."""
        return self

    def fitted_to(
        self: T,
        y: np.ndarray,
        norm_weight: np.ndarray,
        scale: np.ndarray,
        kept: Loss | None = None,
    ) -> T:
        """A copy for y (n, n_targets) to train on, which was divided by ``scale``.

        What it would learn from y is that of ``kept``, a loss of its kind, if given.
        """
        return self

    def in_other_units(
        self, W: np.ndarray, b: np.ndarray, ratio: np.ndarray, shift: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The output layer that predicts ``ratio`` times the same, plus ``shift``."""
        return W * ratio, b * ratio + shift

    # Stacks

    def stacked(self: T, others: Sequence[T], of_network: np.ndarray) -> T:
        """The loss of a stack whose network k has ``others[of_network[k]]``, all alike.

        Parameters that are the same for all stay as they are.
        """
        changes: dict[str, np.ndarray] = {}
        for name in self._parameters():
            values = [np.atleast_1d(getattr(other, name)) for other in others]
            if not all(np.array_equal(values[0], other) for other in values[1:]):
                changes[name] = np.stack(values)[of_network, np.newaxis]
        return self._changed(changes) if changes else self

    def __getitem__(self: T, networks: np.ndarray) -> T:
        """The loss of some of the networks of a stack."""
        if not self.stacked_parameters:
            return self
        return self._changed({n: v[networks] for n, v in self._stacked()})

    def shaped(self: T, stack: tuple[int, ...]) -> T:
        """The loss of a stack whose arrays have axes ``stack`` in the place of K."""
        if not self.stacked_parameters:
            return self
        return self._changed(
            {n: v.reshape(*stack, *v.shape[1:]) for n, v in self._stacked()}
        )

    @property
    def key(self) -> tuple:
        """What tells losses of different parameters apart, in every process."""
        if not is_dataclass(self):
            return (self.name,)
        values = (np.asarray(getattr(self, name)) for name in self._parameters())
        return self.name, *(value.tobytes() for value in values)

    def _parameters(self) -> list[str]:
        return [f.name for f in fields(self)] if is_dataclass(self) else []

    def _stacked(self) -> list[tuple[str, np.ndarray]]:
        return [(name, getattr(self, name)) for name in self.stacked_parameters]

    def _changed(self: T, changes: Mapping[str, np.ndarray]) -> T:
        other = copy.copy(self)
        for name, value in changes.items():
            object.__setattr__(other, name, value)  # it is a frozen dataclass
        object.__setattr__(other, "stacked_parameters", tuple(changes))
        return other


def likelihood_of(loss: Loss) -> Likelihood:
    """The likelihood of a loss that has one."""
    assert loss.likelihood is not None, loss.name
    return loss.likelihood


def sum_targets(a: np.ndarray) -> np.ndarray:
    """Sums over the last axis, faster for a single target."""
    return a[..., 0] if a.shape[-1] == 1 else a.sum(axis=-1)


def diagonal(a: np.ndarray) -> np.ndarray:
    """Diagonal matrices of the last axis: (..., o) -> (..., o, o)."""
    return a[..., np.newaxis] * np.eye(a.shape[-1])


def mean_and_deviation(
    y: np.ndarray, norm_weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The weighted mean and standard deviation of each column."""
    mean = norm_weight @ y
    distance = y - mean
    # Powers of two keep squares within the float range, and are exact.
    largest = np.maximum(distance.max(axis=0), -distance.min(axis=0))
    power = np.frexp(largest)[1]
    np.ldexp(distance, -power, out=distance)
    np.square(distance, out=distance)
    return mean, np.ldexp(np.sqrt(norm_weight @ distance), power)
