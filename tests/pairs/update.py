"""Write array.txt and refusals.txt anew: `python tests/pairs/update.py`."""

import stored
from generator import answers, covering_rows

if __name__ == "__main__":
    allowed, refused = answers()
    stored.write_refusals({pair: error for pair, (_, error) in refused.items()})
    rows = covering_rows(allowed)
    stored.write_rows(rows)
    print(f"{len(allowed)} pairs in {len(rows)} rows, {len(refused)} refused")
