"""Which model of its ladder alpha="auto" takes: rules of choice, replayed.

    python benchmarks/ladder.py run --out ladder.jsonl --sizes 500 3000 [--part tuning]
    python benchmarks/ladder.py report ladder.jsonl

`run` fits alpha="auto" to random splits of the tables of `study`, keeps the held-out
loss of each model, and fits each to all rows at its best alpha: its test error (1 - R2,
or the log-loss). `report` asks models on parts for one gain after the other, and
prints the mean test error over that of the best model by columns alone: its geometric
mean over the tables, how many are above it by 1 % and by 4 %, and the worst; in
brackets how many there are with .01 added to both, as in `study`, as errors of next to
nothing have ratios of chance.
"""

import argparse
import json
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from study import KINDS, PARTS, splits_of, tasks
from study_report import NEGLIGIBLE
from tables import add_arguments, log_loss, pipeline
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._cv import ladder, models

C = {"squared_error": 5.0, "classes": 4.0}
MODELS = {
    "squared_error": WeightDecayMLPRegressor,
    "classes": WeightDecayMLPClassifier,
}
GAINS = 0.0, 0.005, 0.01, 0.02, 0.03, 0.05


def error(kind, model, X, y):
    if kind == "classes":
        return float(log_loss(model, X, y))
    return float(np.mean((y - model.predict(X)) ** 2) / np.var(y))


def judged(model, X, y):
    """The fitted Pipeline, the models' held-out losses and their best multiples."""
    judge, found = models._judge_models, {}

    def spy(*how):
        losses, candidates = judge(*how)
        found["losses"] = {name: float(loss) for name, loss in losses.items()}
        found["multiples"] = {
            name: float(c.multiples[c.best])
            for name, c in candidates.items()
            if name != ladder.CONSTANT
        }
        return losses, candidates

    models._judge_models = spy
    try:
        return model.fit(X, y), found
    finally:
        models._judge_models = judge


def measured(kind, X, y, train, test):
    """One line of the file."""
    cls, (A, a), (B, b) = (
        MODELS[kind],
        (X.iloc[train], y[train]),
        (X.iloc[test], y[test]),
    )
    auto, found = judged(pipeline(cls(alpha="auto", random_state=0)), A, a)
    found["errors"] = {}
    for name, multiple in found["multiples"].items():
        how = {"alpha": C[kind] * multiple / len(a), "random_state": 0}
        how["encoding"] = "parts" if name in ladder.IN_PARTS else None
        if name in ladder.WITHOUT_HIDDEN:
            how["hidden_layer_sizes"] = ()
        else:
            how["solver"] = auto[-1].solver_
        found["errors"][name] = error(kind, pipeline(cls(**how)).fit(A, a), B, b)
    if kind == "classes":
        share = np.array([np.mean(a == label) for label in auto.classes_])
        own = share[np.searchsorted(auto.classes_, b)]
        found["errors"][ladder.CONSTANT] = float(-np.log(own).mean())
    else:
        off = np.mean((b - a.mean()) ** 2) / np.var(b)
        found["errors"][ladder.CONSTANT] = float(off)
    return found


def run(args):
    known = {(d["kind"], d["table"], d["size"], d["split"]) for d in lines([args.out])}
    sources = {"keel": args.keel, "data": args.data}
    for kind in args.kind:
        for part in args.part:
            sizes = sorted({500, *args.sizes})  # a table belongs to a size as in study
            for table, size, X, y in tasks(kind, part, sizes, None, sources):
                splits = enumerate(splits_of(kind, X, y, size, args.splits))
                for split, (train, test) in splits:
                    key = kind, table, size, split
                    if size not in args.sizes or key in known:
                        continue
                    line = dict(zip(("kind", "table", "size", "split"), key))
                    line |= {"part": part, **measured(kind, X, y, train, test)}
                    with args.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
                print(kind, part, table, size, flush=True)


def lines(files):
    for file in files:
        if file.exists():
            yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def report(args):
    of_tables = defaultdict(list)
    for line in lines(args.files):
        of_tables[line["size"], line["kind"], line["table"]].append(line)
    for size in sorted({key[0] for key in of_tables}):
        print(
            f"{size} rows: gain, error over columns alone, above by 1 %, by 4 %, worst"
        )
        for gain in GAINS:
            ratios, added = {}, []
            for key, of_splits in of_tables.items():
                errors = []
                for line in of_splits if key[0] == size else ():
                    losses = line["losses"]
                    plain = {
                        m: v for m, v in losses.items() if m not in ladder.IN_PARTS
                    }
                    ladder.GAIN = gain
                    taken = [ladder.simplest(some, 0)[0] for some in (losses, plain)]
                    errors.append([line["errors"][model] for model in taken])
                if errors:
                    ours, theirs = np.mean(errors, axis=0)
                    ratios[f"{key[2]}, {key[1]}"] = ours / max(theirs, 1e-12)
                    added.append((ours + NEGLIGIBLE) / (theirs + NEGLIGIBLE))
            found, added = np.array(list(ratios.values())), np.array(added)
            worst = sorted(ratios, key=ratios.get)[::-1][:3]
            print(
                f"{gain:6.3f} {np.exp(np.log(found).mean()):.4f} of {len(found)}, "
                f"{(found > 1.01).sum()}, {(found > 1.04).sum()} "
                f"({(added > 1.01).sum()}, {(added > 1.04).sum()}); "
                + "; ".join(f"{name} {ratios[name]:.3f}" for name in worst)
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run")
    add_arguments(runs)
    runs.add_argument("--out", type=Path, default=Path("ladder.jsonl"))
    runs.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
    runs.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    runs.add_argument("--sizes", nargs="+", type=int, default=[500])
    runs.add_argument("--splits", type=int, default=3)
    reports = commands.add_parser("report")
    reports.add_argument("files", nargs="+", type=Path)
    args = parser.parse_args()
    if args.command == "report":
        return report(args)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        return run(args)


if __name__ == "__main__":
    main()
