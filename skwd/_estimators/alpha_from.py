"""alpha_from: another library's number as the alpha of J."""

from __future__ import annotations

import re
from collections.abc import Callable

from skwd._estimators.rules import is_count, is_real, meant

# What a number of another library is in J, by the library's name for it.
_OF_ROWS = {
    "Ridge": lambda value, n: value / n,
    "LogisticRegression": lambda value, n: 1.0 / (n * value),
    "MLP lbfgs": lambda value, n: value / n,
    "laplace-torch": lambda value, n: value / n,
}
_ITSELF = (
    "glmnet binomial",
    "glmnet poisson",
    "ElasticNet",
    "PoissonRegressor",
    "SGDRegressor",
    "SGDClassifier",
    "torch CrossEntropyLoss",
)
_OF_OUTPUTS = {
    "torch MSELoss": 0.5,
    "keras mse": 1.0,
}
_DECOUPLED = ("AdamW", "SGDW", "optax.adamw", "keras weight_decay")
# Words of their names, under which other packages have them too.
_OF_DECOUPLED = {"adamw", "sgdw", "nadamw", "lion", "decoupled"}
NAMES = (
    "glmnet",
    *_ITSELF,
    *_OF_ROWS,
    *_OF_OUTPUTS,
    "keras crossentropy",
    "MLP",
    "MacKay",
    "brnn",
)


def alpha_from(
    library: str,
    value: float,
    *,
    n: int | None = None,
    batch_size: int | None = None,
    n_outputs: int = 1,
    noise_precision: float | None = None,
    y_deviation: float | None = None,
) -> float:
    """The alpha of J that means what a number means in another library.

    J is the mean loss plus alpha / 2 times the sum of squared weights, so that

    ========================  ====================  ==================================
    ``library``               its number            alpha
    ========================  ====================  ==================================
    "ElasticNet"              alpha                 the same (``l1_ratio=0``)
    "glmnet"                  lambda                lambda / y_deviation
    "glmnet binomial",        lambda                the same
    "glmnet poisson"
    "PoissonRegressor"        alpha                 the same
    "SGDRegressor",           alpha                 the same
    "SGDClassifier"
    "Ridge"                   alpha                 alpha / n
    "LogisticRegression"      C                     1 / (n C)
    "MLP lbfgs"               alpha                 alpha / n
    "MLP"                     alpha, sgd or adam    alpha / batch_size
    "torch CrossEntropyLoss"  weight_decay          the same
    "torch MSELoss"           weight_decay          n_outputs weight_decay / 2
    "keras crossentropy"      c of regularizers.l2  2 c
    "keras mse"               c of regularizers.l2  n_outputs c
    "MacKay", "brnn"          alpha                 alpha / (n noise_precision)
    "laplace-torch"           prior_precision       prior_precision / (n sigma^-2)
    ========================  ====================  ==================================

    glmnet divides a Gaussian y by its standard deviation (with 1 / n), and also lambda
    (Friedman, Hastie and Tibshirani, JSS 2010; its vignette, "Appendix 0").
    Losses are means over rows in torch and Keras. For networks with squared error the
    translation is exact with ``normalize_y=False``, as y is standardised otherwise. The
    penalties of some other libraries contain biases too.

    Parameters
    ----------
    library : str
        One of the names above.
    value : float
        The number there.
    n : int, optional
        Rows, or the sum of their weights: needed where the table has n.
    batch_size : int, optional
        For "MLP", whose penalty is divided by it.
    n_outputs : int, default=1
        For losses that are means over the outputs there.
    noise_precision : float, optional
        For "MacKay" and "brnn" beta; for "laplace-torch" 1 / sigma_noise^2 of a
        regression, left out for a classification.
    y_deviation : float, optional
        For "glmnet", of a Gaussian y: its standard deviation, ``y.std()``.

    Returns
    -------
    alpha : float
        For the parameter of that name.

    Raises
    ------
    ValueError
        For unknown names, for numbers that are missing or out of range, and for
        decoupled weight decay, which minimises no J.

    Examples
    --------
    >>> from skwd import alpha_from
    >>> alpha_from("Ridge", 5.0, n=500)
    0.01
    >>> alpha_from("torch MSELoss", 0.01)
    0.005
    """
    words = re.split(r"\W", library.lower()) if isinstance(library, str) else []
    if library in _DECOUPLED or _OF_DECOUPLED.intersection(words):
        raise ValueError(
            f"{library!r} is decoupled weight decay: it is no term of an objective, so "
            "that no alpha of J means the same. Use decay='decoupled' with that number."
        )
    if library not in NAMES:
        listed = ", ".join(repr(name) for name in NAMES)
        near = meant(library, NAMES)
        raise ValueError(f"library must be one of {listed}; got {library!r}{near}")
    if not is_real(value) or value < 0 or (value == 0 and library.startswith("Log")):
        raise ValueError(
            f"value must be a finite number >= 0 (C > 0); got {value!r}. Use the "
            f"number that {library} is given."
        )
    given = {"n": n, "batch_size": batch_size, "n_outputs": n_outputs}

    def needed(name: str) -> int:
        number = given[name]
        if number is None or not is_count(number):
            raise ValueError(
                f"alpha_from({library!r}) needs {name}, an integer >= 1; got "
                f"{number!r}."
            )
        return number

    if library == "glmnet":
        if y_deviation is None or not is_real(y_deviation) or not y_deviation > 0:
            raise ValueError(
                f"alpha_from({library!r}) needs y_deviation, the standard deviation of "
                f"y, a number > 0; got {y_deviation!r}."
            )
        return float(value) / float(y_deviation)
    if library in _ITSELF:
        return float(value)
    if library in _OF_OUTPUTS:
        return float(needed("n_outputs") * value * _OF_OUTPUTS[library])
    if library == "keras crossentropy":
        return 2.0 * float(value)
    if library == "MLP":
        return float(value) / needed("batch_size")
    is_given = noise_precision is not None
    if library in ("MacKay", "brnn") or (library == "laplace-torch" and is_given):
        if (
            noise_precision is None
            or not is_real(noise_precision)
            or not (noise_precision > 0)
        ):
            raise ValueError(
                f"alpha_from({library!r}) needs noise_precision, beta, a number > 0; "
                f"got {noise_precision!r}."
            )
        return float(value) / (needed("n") * float(noise_precision))
    of_rows: Callable[[float, int], float] = _OF_ROWS[library]
    return float(of_rows(float(value), needed("n")))
