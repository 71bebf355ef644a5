"""The public docstrings are numpydoc, by its own validation (where it is installed)."""

import inspect

import pytest

import skwd

validate = pytest.importorskip("numpydoc.validate")
LEFT_OUT = {
    "SA01": "the classes' docstrings say what belongs together",
    "EX01": "examples are at the classes",
    "ES01": "a summary may be all there is to say",
    "RT02": "results are named, as in scikit-learn",
    "PR08": "a formula or a name comes first",
    "SS05": "a noun may come first: 'Logarithms of ...'",
}


def public_names():
    for name in skwd.__all__:
        thing = getattr(skwd, name)
        if name.startswith("__"):
            continue
        yield f"skwd.{name}"
        if inspect.isclass(thing):
            for method, function in inspect.getmembers(thing, inspect.isfunction):
                ours = function.__module__.startswith("skwd")
                if ours and not method.startswith("_"):
                    yield f"skwd.{name}.{method}"


@pytest.mark.parametrize("name", sorted(public_names()))
def test_numpydoc_finds_nothing(name):
    errors = validate.validate(name)["errors"]
    assert [error for error in errors if error[0] not in LEFT_OUT] == []
