"""What a step costs with each decay mode, and with dropout.

    python benchmarks/decay.py

1000 x 10 data, 64 ReLU units, batches of 32, one BLAS thread: microseconds per step,
the least of several runs taken in turn, and their ratio to "decoupled".
"""

import time
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPRegressor
from skwd._solvers.decay import DECAYS

N_EPOCHS, REPEATS = 40, 9
CHANGES = {name: {"decay": name} for name in DECAYS} | {"dropout": {"dropout": 0.2}}


def main():
    warnings.simplefilter("ignore")  # none of these fits ends
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 10))
    y = X[:, 0] + np.sin(X[:, 1]) + 0.1 * rng.standard_normal(1000)
    steps = N_EPOCHS * -(-1000 // 32)
    for solver in ("sgd", "adam"):
        seconds = {name: [] for name in CHANGES}
        for _ in range(REPEATS):
            for name, change in CHANGES.items():
                model = WeightDecayMLPRegressor(
                    hidden_layer_sizes=(64,),
                    solver=solver,
                    alpha=1e-3,
                    batch_size=32,
                    max_iter=N_EPOCHS,
                    n_iter_no_change=np.inf,
                    random_state=0,
                    **change,
                )
                start = time.perf_counter()
                model.fit(X, y)
                seconds[name].append(time.perf_counter() - start)
        least = {name: min(times) / steps * 1e6 for name, times in seconds.items()}
        print(solver)
        for name, value in least.items():
            print(f"  {name:12s} {value:6.1f} us {value / least['decoupled']:6.2f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
