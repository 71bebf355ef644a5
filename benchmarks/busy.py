"""How long a fit takes on a busy machine, with one BLAS thread and with two.

Each fit runs in a process of its own, while other processes keep the processor busy.
OpenBLAS is given one thread by OMP_NUM_THREADS=1, or as many as it takes by itself.

    python benchmarks/busy.py [--others 2]
"""

import argparse
import os
import subprocess
import sys

FITS = {
    "560 x 20, (100,)": "X, y = made(560, 20); model = Regressor(alpha=1e-2)",
    "3000 x 20, (100,)": "X, y = made(3000, 20); model = Regressor(alpha=1e-2)",
    "3000 x 100, (100,)": "X, y = made(3000, 100); model = Regressor(alpha=1e-2)",
    "560 x 20, alpha='auto'": "X, y = made(560, 20); model = Regressor(alpha='auto')",
}
FIT = """
import time, warnings
import numpy as np
from skwd import WeightDecayMLPRegressor as Regressor

warnings.simplefilter("ignore")

def made(n, d):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * rng.standard_normal(n)
    return X, y

{fit}
model.set_params(random_state=0)
model.fit(X[:50], y[:50])
start = time.perf_counter()
model.fit(X, y)
print(time.perf_counter() - start)
"""
BUSY = "while True: pass"


def seconds(fit, threads):
    env = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    if threads:
        env["OMP_NUM_THREADS"] = str(threads)
    code = [sys.executable, "-c", FIT.format(fit=fit)]
    return min(float(subprocess.check_output(code, env=env)) for _ in range(3))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--others", type=int, default=2, help="busy processes")
    n_others = parser.parse_args().others
    heads = "quiet, 1", "quiet, as is", "busy, 1", "busy, as is", "ratio"
    print(f"{'seconds':24s}" + "".join(f"{head:>13s}" for head in heads))
    for name, fit in FITS.items():
        found = [seconds(fit, threads) for threads in (1, None)]
        others = [
            subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(n_others)
        ]
        try:
            found += [seconds(fit, threads) for threads in (1, None)]
        finally:
            for other in others:
                other.kill()
        found.append(found[3] / found[2])
        print(f"{name:24s}" + "".join(f"{value:13.2f}" for value in found))


if __name__ == "__main__":
    main()
