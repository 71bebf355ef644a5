"""What the fit of a CV form passes on: to the splitter and to the scorer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn import get_config
from sklearn.metrics import get_scorer_names
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from skwd._cv.scoring import scorer_of, takes_sample_weight
from skwd._estimators.rules import meant
from skwd._estimators.warnings import warn


class RoutingMixin:
    """Metadata routing of an estimator with ``cv`` and ``scoring``."""

    cv: Any
    scoring: Any

    _default_scorer: Callable[[], Any]  # of ``scoring=None``
    _default_score: Callable[[], str]  # and what it is called

    def _scorer(self):
        """The scorer; with routing None's asks for what `score` was told to."""
        if isinstance(self.scoring, str):
            names = get_scorer_names()
            if self.scoring not in names:
                raise ValueError(
                    "scoring must be one of sklearn.metrics.get_scorer_names(); got "
                    f"{self.scoring!r}{meant(self.scoring, names)}"
                )
        if self.scoring is not None:
            return scorer_of(self, self.scoring)
        scorer = self._default_scorer()
        if get_config()["enable_metadata_routing"]:
            own = MetadataRouter(owner=type(self).__name__).add_self_request(self)
            weighted = bool(own.consumes("score", {"sample_weight"}))
            scorer = scorer.set_score_request(sample_weight=weighted)
        return scorer

    def _score_name(self) -> str | None:
        """What the scores are called, as far as they have a name."""
        if self.scoring is None:
            return self._default_score()
        if isinstance(self.scoring, str):
            return self.scoring
        name = getattr(self.scoring, "__name__", "")
        return name.removesuffix("_scorer") if name.isidentifier() else None

    def _routed(self, scorer, weight, params: dict) -> tuple[dict, dict]:
        """The arguments of the splitter and of the scorer."""
        weight = {} if weight is None else {"sample_weight": weight}
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", **weight, **params)
            return routed.splitter.split, routed.scorer.score
        unknown = params.keys() - {"groups"}
        if unknown:
            raise TypeError(
                f"fit got an unexpected argument {sorted(unknown)[0]!r}. Without "
                "metadata routing only groups can be passed on; see "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        if weight and not takes_sample_weight(scorer):
            warn(
                f"scoring={self.scoring!r} takes no sample_weight: the networks are "
                "fitted with weights but scored without."
            )
            weight = {}
        return {"groups": params.get("groups")}, weight

    def get_metadata_routing(self):
        """What fit passes on: to the splitter and to the scorer.

        Returns
        -------
        routing : MetadataRouter
            Of fit.
        """
        return (
            MetadataRouter(owner=type(self).__name__)
            .add_self_request(self)
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(
                scorer=self._scorer(),
                method_mapping=MethodMapping().add(caller="fit", callee="score"),
            )
        )
