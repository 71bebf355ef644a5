"""to_sklearn: the same predictions, and on from there to ONNX where it is installed."""

import numpy as np
import pytest
import sklearn
from sklearn.datasets import make_multilabel_classification
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

SMALL = {"alpha": 0.001, "random_state": 0}
HAS_POISSON = parse_version(sklearn.__version__) >= parse_version("1.7")
HIDDEN = [(), (5,), (5, 4)]


def assert_same(ours, theirs, X, kind):
    assert isinstance(theirs, kind)
    rtol = 1e-5 if ours.coefs_[0].dtype == np.float32 else 1e-10
    if kind is MLPClassifier:
        np.testing.assert_array_equal(theirs.predict(X), ours.predict(X))
        p = ours.predict_proba(X)
        np.testing.assert_allclose(theirs.predict_proba(X), p, rtol=rtol, atol=1e-7)
        np.testing.assert_array_equal(theirs.classes_, ours.classes_)
    else:
        scale = np.abs(ours.predict(X)).max()
        np.testing.assert_allclose(
            theirs.predict(X), ours.predict(X), rtol=rtol, atol=rtol * scale
        )
    assert theirs.n_features_in_ == ours.n_features_in_
    assert theirs.out_activation_ == ours.out_activation_


@pytest.mark.wide(27)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
def test_regressors(regression, hidden, activation, dtype):
    X, y = regression
    X, y = X.astype(dtype), 600.0 + 80.0 * y  # units that are easily lost
    how = {"hidden_layer_sizes": hidden, "activation": activation, **SMALL}
    for targets in (y, np.stack([y, -y], axis=1)):
        model = WeightDecayMLPRegressor(**how).fit(X, targets)
        assert_same(model, model.to_sklearn(), X, MLPRegressor)


@pytest.mark.slow
def test_the_network_of_a_search_and_of_one_that_is_linear(regression):
    X, y = regression
    chooser = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(4,), alphas=[0.01, 0.1], cv=2, random_state=0
    ).fit(X, y)
    assert_same(chooser, chooser.to_sklearn(), X, MLPRegressor)
    straight = X @ np.arange(4.0)
    auto = WeightDecayMLPRegressor(
        hidden_layer_sizes=(4,), activation="selu", alpha="auto", random_state=0
    ).fit(X, straight)
    assert len(auto.coefs_) == 1  # its activation is not in use
    assert_same(auto, auto.to_sklearn(), X, MLPRegressor)


@pytest.mark.wide(3)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
def test_classifiers(classes, hidden):
    X, y = classes
    how = {"hidden_layer_sizes": hidden, **SMALL}
    for labels in (y, y > 0, np.array(["low", "mid", "top"])[y]):
        model = WeightDecayMLPClassifier(**how).fit(X, labels)
        assert_same(model, model.to_sklearn(), X, MLPClassifier)
    X, Y = make_multilabel_classification(120, n_features=6, random_state=0)
    model = WeightDecayMLPClassifier(**how).fit(X, Y)
    assert_same(model, model.to_sklearn(), X, MLPClassifier)


@pytest.mark.skipif(not HAS_POISSON, reason="MLPRegressor has a log link since 1.7")
@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
def test_log_links(regression, loss):
    X, y = regression
    y = np.exp(y)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(5,), loss=loss, **SMALL)
    model.fit(X, y)
    assert_same(model, model.to_sklearn(), X, MLPRegressor)


@pytest.mark.slow
def test_what_scikit_learn_cannot_hold_is_said(regression):
    X, y = regression
    how = {"hidden_layer_sizes": (4,), **SMALL}
    odd = WeightDecayMLPRegressor(activation="silu", **how).fit(X, y)
    with pytest.raises(ValueError, match="'silu' is not one of scikit-learn's, which "):
        odd.to_sklearn()
    several = WeightDecayMLPRegressor(n_init=2, ensemble=True, **how).fit(X, y)
    with pytest.raises(ValueError, match="for one network; got an ensemble of 2"):
        several.to_sklearn()


@pytest.mark.wide(2)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_onnx_end_to_end(regression, classes, dtype):
    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    types = pytest.importorskip("skl2onnx.common.data_types")
    Tensor = types.FloatTensorType if dtype == np.float32 else types.DoubleTensorType

    def outputs(model, X, **options):
        kind = [("X", Tensor([None, X.shape[1]]))]
        onnx = skl2onnx.convert_sklearn(model, initial_types=kind, **options)
        session = runtime.InferenceSession(
            onnx.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        return session.run(None, {"X": X})

    rtol = 1e-4 if dtype == np.float32 else 1e-9
    X, y = regression
    X, y = X.astype(dtype), 600.0 + 80.0 * y
    pipe = make_pipeline(
        StandardScaler(), WeightDecayMLPRegressor(hidden_layer_sizes=(5,), **SMALL)
    ).fit(X, y)
    converted = make_pipeline(pipe[0], pipe[-1].to_sklearn())
    (predicted,) = outputs(converted, X)
    np.testing.assert_allclose(predicted[:, 0], pipe.predict(X), rtol=rtol)
    X, y = classes
    X = X.astype(dtype)
    labels = np.array(["low", "mid", "top"])[y]
    model = WeightDecayMLPClassifier(hidden_layer_sizes=(5,), **SMALL).fit(X, labels)
    network = model.to_sklearn()
    options = {id(network): {"zipmap": False}}
    found, p = outputs(network, X, options=options)
    np.testing.assert_array_equal(found, model.predict(X))
    np.testing.assert_allclose(p, model.predict_proba(X), rtol=rtol, atol=1e-6)


@pytest.mark.skipif(not HAS_POISSON, reason="scikit-learn's network has no log link")
def test_onnx_of_a_log_link_as_the_guide_has_it(regression):
    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    onnx_helper = pytest.importorskip("onnx.helper")
    types = pytest.importorskip("skl2onnx.common.data_types")
    X, y = regression
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(5,), loss="poisson", **SMALL
    ).fit(X, np.exp(y / y.std()))
    network = model.to_sklearn()
    network.out_activation_ = "identity"
    kind = [("X", types.DoubleTensorType([None, X.shape[1]]))]
    onnx = skl2onnx.convert_sklearn(network, initial_types=kind)
    raw, onnx.graph.output[0].name = onnx.graph.output[0].name, "mean"
    onnx.graph.node.append(onnx_helper.make_node("Exp", [raw], ["mean"]))
    session = runtime.InferenceSession(
        onnx.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (predicted,) = session.run(None, {"X": X})
    np.testing.assert_allclose(predicted[:, 0], model.predict(X), rtol=1e-9)


@pytest.mark.slow
def test_skops_files_load_with_the_types_of_this_package_alone(regression):
    io = pytest.importorskip("skops.io")
    X, y = regression
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(5,), posterior=True, **SMALL)
    stored = io.dumps(model.fit(X, y))
    untrusted = io.get_untrusted_types(data=stored)
    assert all(name.startswith("skwd.") for name in untrusted)
    again = io.loads(stored, trusted=untrusted)
    for ours, theirs in zip(
        model.predict(X, return_std=True), again.predict(X, return_std=True)
    ):
        np.testing.assert_array_equal(ours, theirs)
