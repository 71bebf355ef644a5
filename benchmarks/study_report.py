"""What `study` has found: the comparison, as tables and as one picture."""

import json
from collections import defaultdict

import numpy as np
from scipy.stats import rankdata
from study_learners import OURS, TRIED

# Is added to errors before they are divided: .01 of y's variance, or a log-loss of .01.
NEGLIGIBLE = 0.01
MEASURES = ("error", "wrong", "calibration", "seconds")
IN_TIME = "CatBoost"  # whose seconds are the unit
MOST_DRAWN = 4.0
COLORS = {True: "#33658a", False: "0.45"}


def lines(path):
    """The fits that a study has kept."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def by_table(found, learners):
    """Measure to (tables, learners) of means over the splits, and the tables' names.

    Of the splits that all learners have; nan where a measure is not known.
    """
    cells = defaultdict(dict)
    for line in found:
        if line["learner"] in learners:
            cells[line["table"], line["split"]][line["learner"]] = line
    of_table = defaultdict(list)
    for (table, _), of in cells.items():
        if len(of) == len(learners):
            of_table[table].append(of)
    names = sorted(of_table)

    def mean(measure, table, learner):
        return np.mean([of[learner].get(measure, np.nan) for of in of_table[table]])

    return names, {
        measure: np.array([[mean(measure, t, k) for k in learners] for t in names])
        for measure in MEASURES
    }


def geometric(ratios):
    return np.exp(np.log(ratios).mean(axis=0))


def over_best(error):
    """Ratios of errors (tables, learners) to the lowest of each table."""
    return (error + NEGLIGIBLE) / (error.min(axis=1, keepdims=True) + NEGLIGIBLE)


def print_rows(rows, digits=3):
    for name, values in rows:
        shown = "".join(f"{value:12.{digits}f}" for value in values)
        print(f"{name:28s}{shown}")


def compare(title, found, learners):
    """Print one comparison; the errors (tables, learners)."""
    names, means = by_table(found, learners)
    if not names:
        return None
    error, seconds = means["error"], means["seconds"]
    print(f"\n{title + ', ' + str(len(names)) + ' tables':28s}", end="")
    print("".join(f"{name:>12s}" for name in learners))
    print_rows(zip(names, error))
    ranks, to_best = rankdata(error, axis=1), over_best(error)
    rows = [
        ("mean error", error.mean(axis=0)),
        ("mean rank", ranks.mean(axis=0)),
        ("best on", (ranks == ranks.min(axis=1, keepdims=True)).sum(axis=0)),
        ("error / best, mean", geometric(to_best)),
        ("error / best, worst", to_best.max(axis=0)),
        *((m, means[m].mean(axis=0)) for m in MEASURES[1:]),
    ]
    if IN_TIME in learners:
        unit = seconds[:, learners.index(IN_TIME)]
        ratio = seconds / unit[:, np.newaxis]
        rows += [
            (f"seconds / {IN_TIME}, mean", geometric(ratio)),
            ("in all", seconds.sum(axis=0) / unit.sum()),
        ]
    print_rows(row for row in rows if np.isfinite(row[1]).any())
    return error


def learners_of(found, wanted):
    """Those that have as many fits as the others do, in their order."""
    counts = defaultdict(int)
    for line in found:
        counts[line["learner"]] += 1
    most = max(counts.values())
    whole = [name for name, count in counts.items() if count >= 0.9 * most]
    return [name for name in whole if wanted is None or name in wanted]


def report(args):
    """Print the comparison of every kind and size, and draw them."""
    found = [line for line in lines(args.file) if line["part"] in args.part]
    drawn = {}
    for kind in args.kind:
        for size in args.sizes:
            mine = [x for x in found if (x["kind"], x["size"]) == (kind, size)]
            if not mine:
                continue
            learners = learners_of(mine, args.learners)
            title = f"{kind}, {size} rows"
            error = compare(title, mine, learners)
            if error is not None:
                drawn[kind, size] = learners, error
    if args.picture:
        draw(drawn, args.picture)


def draw(drawn, path):
    """Each learner's error over the best of a table, one point for each table."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    kinds = list(dict.fromkeys(kind for kind, _ in drawn))
    sizes = list(dict.fromkeys(size for _, size in drawn))
    shape = len(sizes), len(kinds)
    figure, axes = plt.subplots(
        *shape, figsize=(5.4 * shape[1], 4.1 * shape[0]), layout="constrained"
    )
    axes = np.reshape(axes, shape)
    for (kind, size), (learners, error) in drawn.items():
        ax = axes[sizes.index(size), kinds.index(kind)]
        panel(ax, learners, over_best(error), rankdata(error, axis=1).mean(axis=0))
        loss = "log-loss" if kind == "classes" else "squared error"
        ax.set_title(f"{loss}, {len(error)} tables of up to {size:,} rows", fontsize=12)
    for ax in axes[-1]:
        ax.set_xlabel("error over the best learner's", fontsize=11)
    figure.suptitle(
        "A point a table (skwd in blue); black: geometric mean; in brackets: mean rank",
        fontsize=11,
    )
    figure.savefig(path, dpi=100)


def panel(ax, learners, ratio, rank):
    """One kind and size: ratios (tables, learners), the best rank on top."""
    order = np.argsort(rank)[::-1]
    most = min(1.05 * ratio.max(), MOST_DRAWN)
    for place, k in enumerate(order):
        # Beside each other in the order of the tables: none hides another.
        heights = place + np.linspace(-0.25, 0.25, len(ratio))
        inside = ratio[:, k] <= most
        color = COLORS[learners[k] in (*OURS, *TRIED)]
        point = {"ms": 5, "mec": "white", "mew": 0.5, "ls": "none", "c": color}
        ax.plot(ratio[inside, k], heights[inside], "o", **point)
        ax.plot(np.full((~inside).sum(), most), heights[~inside], ">", **point)
        ax.plot(min(geometric(ratio[:, k]), most), place, "|", c="k", ms=20, mew=2.5)
    names = [f"skwd, {n}" if n in OURS else n for n in learners]
    labels = [f"{names[k]}  ({rank[k]:.1f})" for k in order]
    ax.set_yticks(range(len(order)), labels, fontsize=10)
    ax.set_xscale("log")
    ticks = [t for t in (1, 1.25, 1.5, 2, 3, 4) if t <= most]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks], fontsize=10)
    ax.set_xlim(0.96, 1.04 * most)
    ax.minorticks_off()
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
