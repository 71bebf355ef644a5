"""The losses that there are, by name: a new one is a file and a line here."""

from __future__ import annotations

from skwd._core.class_losses import HalfBinomialLoss, HalfMultinomialLoss
from skwd._core.loss import Loss
from skwd._core.number_losses import HalfPoissonLoss, HalfSquaredError
from skwd._core.positive_losses import HalfGammaLoss, HalfTweedieLoss
from skwd._core.robust_losses import AbsoluteError, HuberLoss, QuantileLoss

# Of regressors: the values of their parameter ``loss``.
LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        HalfSquaredError(),
        HuberLoss(),
        AbsoluteError(),
        QuantileLoss(),
        HalfPoissonLoss(),
        HalfGammaLoss(),
        HalfTweedieLoss(),
    )
}
# Of classifiers: one logit for two classes or for each label, softmax for more classes.
BINOMIAL, MULTINOMIAL = HalfBinomialLoss(), HalfMultinomialLoss()
