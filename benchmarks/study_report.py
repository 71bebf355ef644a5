"""What `study` has found: the comparison, as tables and as one picture."""

import json
from collections import defaultdict

import numpy as np
from scipy.stats import rankdata

# Is added to errors before they are divided: .01 of y's variance, or a log-loss of .01.
NEGLIGIBLE = 0.01
OURS = ("default", "auto", "evidence", "loo", "cv")
MEASURES = ("error", "wrong", "calibration", "likelihood", "seconds")


def lines(path):
    """The fits that a study has kept."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def by_table(found, kind, learners):
    """Measure to (tables, learners) of means over the splits, and the tables' names.

    Of the tables and splits that all learners have; nan where a measure is not known.
    """
    cells = defaultdict(dict)
    for line in found:
        if line["kind"] == kind and line["learner"] in learners:
            cells[line["table"], line["split"]][line["learner"]] = line
    whole = {key: of for key, of in cells.items() if len(of) == len(learners)}
    names = sorted({table for table, _ in whole})
    means = {}
    for measure in MEASURES:
        means[measure] = np.array(
            [
                [
                    np.mean([of[name].get(measure, np.nan) for of in splits])
                    for name in learners
                ]
                for splits in (
                    [of for (table, _), of in whole.items() if table == name]
                    for name in names
                )
            ]
        )
    return names, means


def geometric(ratios):
    return np.exp(np.log(ratios).mean(axis=0))


def over(error, reference):
    """Ratios of errors (tables, learners) to a reference (tables, 1)."""
    return (error + NEGLIGIBLE) / (reference + NEGLIGIBLE)


def print_rows(learners, rows, digits=3):
    for name, values in rows:
        shown = "".join(f"{value:10.{digits}f}" for value in values)
        print(f"{name:28s}{shown}")


def compare(found, kind, learners):
    """Print the comparison of one kind; the errors (tables, learners)."""
    names, means = by_table(found, kind, learners)
    if not names:
        return None
    error, seconds = means["error"], means["seconds"]
    print(f"\n{kind + ', ' + str(len(names)) + ' tables':28s}", end="")
    print("".join(f"{name:>10s}" for name in learners))
    print_rows(learners, zip(names, error))
    ranks = rankdata(error, axis=1)
    to_best = over(error, error.min(axis=1, keepdims=True))
    rows = [
        ("mean error", error.mean(axis=0)),
        ("mean rank", ranks.mean(axis=0)),
        ("best on", (ranks == ranks.min(axis=1, keepdims=True)).sum(axis=0)),
        ("error / best, mean", geometric(to_best)),
        ("error / best, worst", to_best.max(axis=0)),
    ]
    if "cv" in learners:
        cv = learners.index("cv")
        of_cv = over(error, error[:, cv : cv + 1])
        rows += [
            ("error / cv, mean", geometric(of_cv)),
            ("error / cv, worst", of_cv.max(axis=0)),
            ("error - cv, worst", (error - error[:, cv : cv + 1]).max(axis=0)),
            ("seconds / cv, mean", geometric(seconds / seconds[:, cv : cv + 1])),
            ("seconds / cv, worst", (seconds / seconds[:, cv : cv + 1]).max(axis=0)),
        ]
    rows += [(m, means[m].mean(axis=0)) for m in MEASURES[1:]]
    print_rows(learners, [row for row in rows if np.isfinite(row[1]).any()])
    return error


def report(args):
    """Print the comparison of every kind, and draw it."""
    found = [line for line in lines(args.file) if line["part"] in args.part]
    drawn = {}
    for kind in dict.fromkeys(line["kind"] for line in found):
        known = dict.fromkeys(x["learner"] for x in found if x["kind"] == kind)
        learners = [n for n in known if args.learners is None or n in args.learners]
        error = compare(found, kind, learners)
        if error is not None:
            drawn[kind] = learners, error
    if args.picture:
        draw(drawn, args.picture)


def draw(drawn, path):
    """Each learner's error over the best of a table, one point for each table."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    size = 5.6 * len(drawn), 4.8
    figure, axes = plt.subplots(1, len(drawn), figsize=size, layout="constrained")
    for ax, (kind, (learners, error)) in zip(np.atleast_1d(axes), drawn.items()):
        ratio = over(error, error.min(axis=1, keepdims=True))
        order = np.argsort(rankdata(error, axis=1).mean(axis=0))[::-1]
        most = min(1.05 * ratio.max(), 6.0)
        for place, k in enumerate(order):
            color = "#33658a" if learners[k] in OURS else "0.45"
            # Beside each other in the order of the tables: none hides another.
            heights = place + np.linspace(-0.25, 0.25, len(ratio))
            inside = ratio[:, k] <= most
            point = {"ms": 6, "mec": "white", "mew": 0.6, "ls": "none", "c": color}
            ax.plot(ratio[inside, k], heights[inside], "o", **point)
            beyond = np.full((~inside).sum(), most)
            ax.plot(beyond, heights[~inside], ">", **point)
            mean = min(float(geometric(ratio[:, k])), most)
            ax.plot(mean, place, "|", c="k", ms=22, mew=2.5)
        names = [f"skwd, {n}" if n in OURS else n for n in learners]
        ax.set_yticks(range(len(order)), [names[k] for k in order], fontsize=11)
        ax.set_xscale("log")
        ticks = [t for t in (1, 1.25, 1.5, 2, 3, 5) if t <= most]
        ax.set_xticks(ticks, [f"{t:g}" for t in ticks], fontsize=11)
        ax.set_xlim(0.96, 1.04 * most)
        ax.minorticks_off()
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
        title = "log-loss" if kind == "classes" else "squared error"
        ax.set_title(f"{title}, {len(error)} tables", fontsize=12)
        ax.set_xlabel("error over the best learner's, a point a table", fontsize=11)
    figure.suptitle("Best mean rank on top; black: geometric mean", fontsize=11)
    figure.savefig(path, dpi=110)
