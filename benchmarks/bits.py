"""The same bits before and after: a hash of all that each of many fits tells.

    python benchmarks/bits.py --write before.json
    python benchmarks/bits.py --compare before.json [-k PATTERN]
    python benchmarks/bits.py --pickle

A line for each configuration (`bits_cases`, `bits_choices`): its name, and the hash of
every public fitted attribute but times, of all predictions, of what `to_sklearn` gives,
of what is printed and of the words of warnings and errors (`bits_parts`). --write
stores the hashes in FILE, and all numbers beside it, under its name with .npz.
--compare prints the names that differ, and for each part of them that does the largest
difference over the largest magnitude. --pickle asserts that every estimator tells the
same bits after a round trip. BLAS has one thread; all takes one to two minutes.
"""

import argparse
import hashlib
import json
import re
import sys
import time
from pathlib import Path

import bits_choices  # noqa: F401  adds its configurations
import numpy as np
import scipy.linalg  # has a BLAS of its own, to be limited with NumPy's
import sklearn
from bits_cases import CASES
from bits_parts import parts_of
from threadpoolctl import threadpool_limits

import skwd

VERSIONS = {package.__name__: package.__version__ for package in (np, scipy, sklearn)}


def digest(parts):
    """The hash of names, dtypes, shapes and bytes."""
    found = hashlib.sha256()
    for name, part in sorted(parts.items()):
        found.update(f"{name} {part.dtype.str} {part.shape} ".encode())
        found.update(part.tobytes())
    return found.hexdigest()[:16]


def difference(before, now):
    """How a part differs, in words."""
    if before is None or now is None:
        return "is new" if before is None else "is there no more"
    if "U" in before.dtype.kind + now.dtype.kind:
        return f"\n        was {before.tolist()!r}\n        is  {now.tolist()!r}"
    if before.shape != now.shape or before.dtype != now.dtype:
        was, is_now = (f"{part.dtype} {part.shape}" for part in (before, now))
        return f"was {was}, is {is_now}"
    before, now = before.astype(float), now.astype(float)
    differs = (now != before) & ~(np.isnan(now) & np.isnan(before))
    with np.errstate(all="ignore"):
        apart = np.nan_to_num(np.abs(now - before)[differs], nan=np.inf)
    most = np.abs(before[np.isfinite(before)]).max(initial=0.0) or 1.0
    return f"{apart.max(initial=0.0) / most:.1e}"


def compare(found, file, pattern):
    """Print what differs from what is stored; whether anything does."""
    stored = json.loads(file.read_text())
    if stored["versions"] != VERSIONS:
        print(f"stored with {stored['versions']}, and now {VERSIONS}")
    bits = {k: v for k, v in stored["bits"].items() if re.search(pattern, k)}
    differing = [name for name in found if bits.get(name) != digest(found[name])]
    before = {name: {} for name in differing}
    with np.load(file.with_suffix(".npz")) as arrays:
        for key in arrays.files:
            name, _, part = key.partition("|")
            if name in before:
                before[name][part] = arrays[key]
    for name in differing:
        print(name if name in bits else f"{name} is not stored")
        if name not in bits:
            continue
        was, now = before[name], found[name]
        for part in sorted({*was, *now}):
            pair = was.get(part), now.get(part)
            known = part in was and part in now
            if not known or digest({"": pair[0]}) != digest({"": pair[1]}):
                print(f"    {part}: {difference(*pair)}")
    for name in bits.keys() - found.keys():
        print(f"{name} is stored, and there no more")
    print(f"{len(found) - len(differing)} equal, {len(differing)} differ")
    return bool(differing or bits.keys() - found.keys())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", metavar="FILE", type=Path)
    parser.add_argument("--compare", metavar="FILE", type=Path)
    parser.add_argument("--pickle", action="store_true")
    parser.add_argument("--times", action="store_true", help="print seconds too")
    parser.add_argument("-k", metavar="PATTERN", default="", help="of names to select")
    args = parser.parse_args()
    print(f"{len(CASES)} configurations of {Path(skwd.__file__).parent}", flush=True)
    found, begin = {}, time.perf_counter()
    for name, case in CASES.items():
        if not re.search(args.k, name):
            continue
        start = time.perf_counter()
        found[name] = parts_of(case, args.pickle)
        seconds = f" {time.perf_counter() - start:.2f}" if args.times else ""
        if args.compare is None:
            print(f"{name:42s} {digest(found[name])}{seconds}", flush=True)
    if args.pickle:
        print("pickles tell the same")
    if args.write:
        bits = {name: digest(parts) for name, parts in found.items()}
        args.write.write_text(
            json.dumps({"versions": VERSIONS, "bits": bits}, indent=1)
        )
        arrays = {f"{n}|{p}": a for n, parts in found.items() for p, a in parts.items()}
        np.savez_compressed(args.write.with_suffix(".npz"), **arrays)
    differs = args.compare and compare(found, args.compare, args.k)
    print(f"{time.perf_counter() - begin:.0f} seconds")
    sys.exit(bool(differs))


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
