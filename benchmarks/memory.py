"""Memory that one epoch of Adam needs beside the data, mapped from disk or sparse.

A temporary file is filled with random numbers and mapped; then a sparse matrix of a
million rows is built in memory. Each is fitted in a process of its own, and a thread
reads the process's anonymous memory, which the pages of a mapped file do not count to,
every 20 ms: its peak during the fit, beyond what there was before the fit, is the
growth. It needs /proc (Linux) and room for the file: TMPDIR says where.

    python benchmarks/memory.py [--gigabytes 2]
"""

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPRegressor

STATUS = Path("/proc/self/status")
N_COLUMNS, HIDDEN, BATCH, INTERVAL = 100, (64,), 256, 0.02
SPARSE_ROWS, SPARSE_COLUMNS, PER_ROW = 1_000_000, 1000, 20
MB = 1e6


def resident():
    """Bytes of anonymous memory, of the pages of files, and the most of both ever."""
    lines = [line.split() for line in STATUS.read_text().splitlines()]
    kB = {words[0]: int(words[1]) for words in lines if words[-1] == "kB"}
    files = kB["RssFile:"] + kB["RssShmem:"]
    return 1024 * kB["RssAnon:"], 1024 * files, 1024 * kB["VmHWM:"]


class Peak:
    """The most anonymous and file memory while the block runs, by a polling thread."""

    def __enter__(self):
        self.before, self.files, _ = resident()
        self.anonymous = self.before
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._poll)
        self.thread.start()
        return self

    def _poll(self):
        last = False
        while not last:
            last = self.done.wait(INTERVAL)
            anonymous, files, _ = resident()
            self.anonymous = max(self.anonymous, anonymous)
            self.files = max(self.files, files)

    def __exit__(self, *error):
        self.done.set()
        self.thread.join()

    @property
    def growth(self):
        return self.anonymous - self.before


def fit(X, y):
    """One epoch of Adam, on one thread."""
    model = WeightDecayMLPRegressor(
        solver="adam",
        hidden_layer_sizes=HIDDEN,
        batch_size=BATCH,
        max_iter=1,
        random_state=0,
    )
    return model.fit(X, y)


def report(title, X, y, n_bytes):
    """Fit and print; the first fit, on a few rows, loads what any fit loads."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is all there is
    with threadpool_limits(1):
        fit(X[: 2 * BATCH], y[: 2 * BATCH])
        start = time.perf_counter()
        with Peak() as peak:
            fit(X, y)
        seconds = time.perf_counter() - start
    n = X.shape[0]
    print(f"\n{title}: {n} x {X.shape[1]}, {n_bytes / MB:.0f} MB")
    print(f"  before the fit (RssAnon)        {peak.before / MB:10.1f} MB")
    print(
        f"  growth in the fit (RssAnon)     {peak.growth / MB:10.1f} MB,"
        f" {peak.growth / n:.1f} bytes a row, {peak.growth / n_bytes:.1%} of X"
    )
    print(f"  pages of files in the fit       {peak.files / MB:10.1f} MB")
    print(f"  most of both so far (VmHWM)     {resident()[2] / MB:10.1f} MB")
    print(f"  an epoch                        {seconds:10.1f} s", flush=True)


def measure_map(path, n):
    X = np.memmap(path, dtype=np.float64, mode="r", shape=(n, N_COLUMNS))
    report("Memory map, float64", X, np.array(X[:, 0]), X.nbytes)


def measure_sparse(n):
    """Each row has PER_ROW entries, one in each of as many ranges of columns."""
    rng = np.random.default_rng(0)
    width = SPARSE_COLUMNS // PER_ROW
    indices = rng.integers(0, width, (n, PER_ROW), dtype=np.int32)
    indices += width * np.arange(PER_ROW, dtype=np.int32)
    indptr = PER_ROW * np.arange(n + 1, dtype=np.int32)
    data = rng.standard_normal(n * PER_ROW)
    shape = n, SPARSE_COLUMNS
    X = sparse.csr_matrix((data, indices.ravel(), indptr), shape)
    n_bytes = data.nbytes + indices.nbytes + indptr.nbytes
    report("Sparse, CSR, float64", X, data[::PER_ROW].copy(), n_bytes)


def apart(measure, *args):
    """In a new process, so that no memory that an earlier one freed is used again."""
    process = multiprocessing.get_context("spawn").Process(target=measure, args=args)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def write(path, n):
    """Fill the file block by block."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, n, 50_000):
            rng.standard_normal((min(50_000, n - start), N_COLUMNS)).tofile(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=2.0, help="of the file")
    parser.add_argument("--rows", type=int, default=SPARSE_ROWS, help="sparse ones")
    args = parser.parse_args()
    if not STATUS.exists() or "RssAnon" not in STATUS.read_text():
        sys.exit(f"{STATUS} does not say RssAnon here: this benchmark needs Linux.")
    if shutil.disk_usage(tempfile.gettempdir()).free < 1.1e9 * args.gigabytes:
        sys.exit(f"{args.gigabytes:g} GB do not fit into {tempfile.gettempdir()}.")

    n = int(args.gigabytes * 1e9) // (8 * N_COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.float64"
        write(path, n)
        apart(measure_map, path, n)
    apart(measure_sparse, args.rows)


if __name__ == "__main__":
    main()
