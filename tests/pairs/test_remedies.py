"""The remedy of a refusal works: whoever follows it ends with parameters that fit."""

import ast
import itertools
import re

import factors
import numpy as np
import pytest

from skwd._estimators.parameters import check_parameters

# What sets no parameter of the constructor, or no value that may be refused.
WITHOUT = {"estimator", "y", "weights", "dtype", "container", "how", "callback"}
WITHOUT |= {"threads", "jobs", "activation"}
NAMES = [name for name in factors.FACTORS if name not in WITHOUT]
# "name=value", of one alternative of a remedy.
GIVEN = re.compile(r"(\w+)=('[^']*'|\[[^]]*\]|\w+(?:\.\d+)?)")
BEGINNINGS = r"Use |Set |Fit it |As "


def refusal(estimator, params):
    """The message of the parameters of an estimator, or None where they fit."""
    model = factors.ESTIMATORS[estimator](**params)
    try:
        check_parameters(
            model._plain() if factors.is_cv({"estimator": estimator}) else model
        )
    except ValueError as error:
        return str(error)
    return None


def alternatives(message, known):
    """What each alternative of a message's remedy sets."""
    remedy = re.split(rf"\. (?={BEGINNINGS})", message)[-1]
    found = []
    for part in re.split(r", or | or |, a number", remedy):
        given = {n: ast.literal_eval(v) for n, v in GIVEN.findall(part) if n in known}
        found += [given] if given else []
    return found


def followed(estimator, params, trail=()):
    """What is wrong with a way of remedies that begins at some parameters, or None."""
    message = refusal(estimator, params)
    if message is None:
        return None
    trail = *trail, (params, message)
    known = factors.ESTIMATORS[estimator]().get_params()
    ways = alternatives(message, known)
    if not ways and "squared_error" not in message:  # that of losses has their names
        return [*trail, "no remedy is a parameter"]
    for way in ways:
        further = params | way
        cause = (refusal(estimator, further) or "").split(". ")[0]
        if any(f"{name}={value!r}" in cause for name, value in way.items()):
            return [*trail, f"{way} is refused in its turn: {cause}"]
        if any(further == before for before, _ in trail):
            return [*trail, f"{way} leads back"]
        if (wrong := followed(estimator, further, trail)) is not None:
            return wrong
    return None


@pytest.mark.wide(2)
@pytest.mark.parametrize("estimator", factors.ESTIMATORS)
def test_every_remedy_of_parameters_ends_with_some_that_fit(estimator):
    known = factors.ESTIMATORS[estimator]().get_params()
    n_refused = 0
    for f, g in itertools.combinations(NAMES, 2):
        for a, b in itertools.product(factors.FACTORS[f], factors.FACTORS[g]):
            row = factors.DEFAULTS | {"estimator": estimator, f: a, g: b}
            if row["alpha_groups"] != "none" and "alpha" not in (f, g):
                row["alpha"] = "evidence"
            params = factors.parameters(row)
            if params.keys() - known:
                continue
            n_refused += refusal(estimator, params) is not None
            wrong = followed(estimator, params)
            assert wrong is None, wrong
    assert n_refused > 20


@pytest.mark.parametrize("estimator", ["reg", "regcv"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma"])
def test_what_is_asked_of_a_fit_without_it_is_there_after_the_remedy(
    estimator, masked, loss
):
    """return_std and coverage, by each alternative that the error names."""
    X = np.random.default_rng(0).standard_normal((24, 2))
    y = np.exp(0.1 * X[:, 0])
    cls = factors.ESTIMATORS[estimator]
    how = {"hidden_layer_sizes": (), "loss": loss}
    how |= {"missing_targets": "mask"} if masked else {}
    how |= {"alphas": [0.1], "cv": 2} if estimator == "regcv" else {"alpha": 0.1}
    model = cls(**how).fit(X, y)
    for asked in ({"return_std": True}, {"coverage": 0.5}):
        with pytest.raises(ValueError, match="was fitted without") as caught:
            model.predict(X, **asked)
        if others := re.search(r"ask for (\w+)=(\S+)\.$", str(caught.value)):
            asked = {others[1]: ast.literal_eval(others[2])}
        ways = alternatives(str(caught.value), cls().get_params())
        assert ways
        for way in ways:
            found = cls(**how | way).fit(X, y).predict(X, **asked)
            assert np.isfinite(found[1]).all()
