"""alpha="evidence": one alpha, one for each layer, or one for each group of columns."""

from __future__ import annotations

from skwd._alpha.evidence import choose_by_evidence
from skwd._alpha.relevance import choose_by_relevance
from skwd._alpha.way import Way


class ByEvidence(Way):
    """Each restart at the alphas of its highest evidence."""

    name = "evidence"
    has_groups = True
    restarts_apart = False  # all begin where the first has the most evidence

    def choose(self, task, kind, verbose):
        if kind == "columns":
            return choose_by_relevance(task, verbose)
        return choose_by_evidence(task, kind == "layer", verbose)
