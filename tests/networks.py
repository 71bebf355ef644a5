"""The small networks whose curvature is known the long way: forms, depths and sizes."""

import numpy as np
import pytest
from dense import dense
from stacks import LOSSES

from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout
from skwd._core.penalty import L2
from skwd._solvers.task import TrainingTask

FORMS = [("squared_error", 1), ("squared_error", 2), ("poisson", 2), ("binomial", 1)]
FORMS += [("binomial", 3), ("multinomial", 3)]
HIDDEN = [(), (6,), (5, 4)]
WIDTH_OF = {60: "parameters", 12: "rows"}  # what there are fewer of
ALPHAS = [0.01, 0.03, 0.02]

every_form = pytest.mark.parametrize(("loss", "n_outputs"), FORMS)
every_depth = pytest.mark.parametrize("hidden", HIDDEN, ids=str)
both_sizes = pytest.mark.parametrize("n", WIDTH_OF, ids=WIDTH_OF.get)


def network(loss="squared_error", n_outputs=1, n=60, hidden=(6,), **how):
    alpha = how.pop("alpha", [ALPHAS[: len(hidden) + 1]])
    return dense(
        np.array(alpha), loss=loss, n_outputs=n_outputs, n=n, hidden=hidden, **how
    )


def task_of(sample, loss, hidden=(), activation="tanh"):
    """What `loss_path` needs of a task; the rest belongs to the training."""
    layout = Layout((sample.X.shape[1], *hidden, sample.y.shape[1]))
    none = dict.fromkeys(["validation", "params0", "solver", "order", "initial_sizes"])
    return TrainingTask(
        layout=layout,
        activation=ACTIVATIONS[activation],
        loss=LOSSES[loss],
        penalty=L2(),
        groups=layout.layer_groups,
        training=sample,
        n_rows=len(sample),
        **none,
    )
