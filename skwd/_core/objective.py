"""The objective of a stack: J and its gradient for K networks at once.

    J_k(w) = (1 / sum s) sum_i s_i l(y_i, f(x_i; w)) + 1/2 sum_layers alpha_kl ||W_l||^2

over the rows i of network k's own sample. Solvers see ``len(objective)``,
``objective[networks]`` and ``objective.loss_gradient(params)``, never X, y or a loss;
``data_loss_gradient`` is J without its penalty, for steps that apply alpha themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from skwd._core.alpha_groups import ABSENT, AlphaGroups
from skwd._core.arrays import weighted_sum
from skwd._core.evaluation import LossGradientEvaluator
from skwd._core.kinks import Kinks
from skwd._core.loss import Loss
from skwd._core.network import ForwardBackward, Network, block_rows
from skwd._core.penalty import L2, Penalty
from skwd._core.rows import row_blocks
from skwd._core.sample import Sample

# Networks of a sample that are evaluated at once: their activations and slopes stay in
# the cache too. Changes no bit.
GROUP_BYTES = 1 << 20


class Objective:
    """J of K networks.

    Parameters
    ----------
    network : Network
    loss : Loss
        Of the stack, if its parameters differ from network to network.
    samples : list of Sample
    alpha : ndarray (K, G)
    sample_of : ndarray of int (K,), optional
        Which sample each network trains on; default the first.
    penalty : Penalty, optional
        Default alpha/2 times the sum of squared weights.
    groups : AlphaGroups, optional
        G groups of parameters that share an alpha; default one for each layer.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        samples: list[Sample],
        alpha: np.ndarray,
        sample_of: np.ndarray | None = None,
        penalty: Penalty | None = None,
        groups: AlphaGroups | None = None,
    ):
        self.network = network
        self.loss = loss
        self.samples = samples
        self.alpha = alpha
        self.sample_of = np.zeros(len(alpha), int) if sample_of is None else sample_of
        self.penalty = L2() if penalty is None else penalty
        self.groups = network.layout.layer_groups if groups is None else groups
        self.dtype = samples[0].dtype
        self._block_rows = block_rows(network.layout, self.dtype.itemsize)

    def __len__(self) -> int:
        return len(self.alpha)

    def __getitem__(self, networks) -> Objective:
        """The objective of some of the networks: same data, same scratch memory."""
        return type(self)(
            self.network,
            self.loss[networks],
            self.samples,
            self.alpha[networks],
            self.sample_of[networks],
            self.penalty[networks],
            self.groups,
        )

    @cached_property
    def decay(self) -> np.ndarray:
        """alpha of each parameter, zero for biases: (K, P)."""
        return self.groups.per_parameter(self.alpha)

    @cached_property
    def _absent(self) -> np.ndarray | None:
        """The weights that are held at zero, bool (K, P); None for none."""
        if (self.alpha < ABSENT).all():
            return None
        return self.decay >= ABSENT

    @cached_property
    def kinks(self) -> Kinks | None:
        """Where J has no gradient, for its penalty; None for nowhere."""
        return self.penalty.kinks(self.decay)

    def loss_gradient(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """J (K,) and its gradient (K, P), in float64, at ``params`` (K, P).

        Where there are `kinks`, the gradient of what is smooth of J.
        """
        fun, grad = self._evaluation(params)
        penalty, decayed = self.penalty.value_gradient(self.decay, params)
        fun += penalty
        grad += decayed
        if self._absent is not None:
            grad[self._absent] = 0.0
        return fun, grad

    def fun(self, params: np.ndarray) -> np.ndarray:
        """J (K,), in float64, by a forward pass alone."""
        return self.data_loss(params) + self.penalty_value(params)

    def penalty_value(self, params: np.ndarray) -> np.ndarray:
        """The penalty alone (K,), in float64."""
        return self.penalty.value(self.decay, params)

    def data_loss_gradient(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The loss without the penalty (K,) and its gradient (K, P), in float64."""
        return self._evaluation(params)

    def data_loss(self, params: np.ndarray) -> np.ndarray:
        """The loss without the penalty (K,), in float64, by a forward pass alone."""
        fun = np.zeros(len(params))
        for sample, networks in self._evaluation_groups:
            members = params[networks].astype(self.dtype, copy=False)
            loss = self.loss[networks]
            for X, y, norm_weight in sample.blocks(self._block_rows):
                raw = ForwardBackward(self.network, members, X.shape[0]).forward(X)
                fun[networks] += weighted_sum(loss.loss(y, raw), norm_weight)
        return fun

    def constant_loss(self) -> np.ndarray:
        """The loss of the best constant prediction, (K,), in float64."""

        def of(loss: Loss, sample: Sample) -> float:
            raw = loss.constant(sample.y, sample.norm_weight)
            return mean_loss_of_constant(loss, sample, raw)

        return self._of_samples("constant loss", of)

    def curvature(self) -> np.ndarray:
        """What J is counted in, (K,): the curvature of the loss at the constant, or 1.

        The mean of the targets.
        """

        def of(loss: Loss, sample: Sample) -> float:
            return sample.curvature(loss)

        return self._of_samples("curvature", of)

    def worth(self) -> np.ndarray:
        """How much of J is much, (K,): the loss of the best constant prediction.

        Of y that does not vary it is rounding; there it is what J is counted in.
        """

        def of(loss: Loss, sample: Sample) -> float:
            return float(sample.has_varying_y)

        constant, varies = np.abs(self.constant_loss()), self._of_samples("varies", of)
        return np.where(varies > 0.0, constant, self.curvature())

    def loss_size(self) -> np.ndarray:
        """The size of the terms whose difference is J, for y without units, (K,)."""

        def of(loss: Loss, sample: Sample) -> float:
            raw = np.abs(loss.constant(sample.y, sample.norm_weight)).max()
            return sample.curvature(loss) * (1.0 + float(raw))

        return self._of_samples("loss size", of)

    def _of_samples(
        self, name: str, function: Callable[[Loss, Sample], float]
    ) -> np.ndarray:
        """A function of each network's loss and sample, (K,), kept by a name."""
        found: dict[int, float] = {}
        numbers = self.sample_of.tolist()
        for k, number in enumerate(numbers):
            if number in found:
                continue
            # Networks of one sample have one loss: it follows from the sample's rows.
            sample, loss = self.samples[number], self.loss[np.array([k])].shaped(())
            key = name, loss.key
            if key not in sample.kept:
                sample.kept[key] = function(loss, sample)
            found[number] = sample.kept[key]
        return np.array([found[number] for number in numbers])

    @cached_property
    def _evaluation(self) -> LossGradientEvaluator:
        return LossGradientEvaluator(
            self.network, self.loss, self._evaluation_groups, self._block_rows
        )

    @cached_property
    def _evaluation_groups(self) -> list[tuple[Sample, np.ndarray]]:
        """Networks that share a sample, few enough for the cache."""
        groups: list[tuple[Sample, np.ndarray]] = []
        for index in sorted(set(self.sample_of.tolist())):
            sample = self.samples[index]
            rows = min(self._block_rows, len(sample))
            width = 2 * sum(self.network.layout.layer_units[1:])
            size = max(1, GROUP_BYTES // (rows * width * self.dtype.itemsize))
            members = np.flatnonzero(self.sample_of == index)
            for start in range(0, len(members), size):
                groups.append((sample, members[start : start + size]))
        return groups


def mean_loss_of_constant(loss: Loss, sample: Sample, raw: np.ndarray) -> float:
    """The weighted mean loss of a constant raw prediction, in blocks of rows."""
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # J tells of it
        for block in row_blocks(len(sample)):
            y = sample.y[block]
            losses = loss.loss(y, np.broadcast_to(raw, (len(y), len(raw))))
            total += float(sample.norm_weight[block] @ losses)
    return total
