"""Callbacks of an estimator that is a step of a Pipeline, or inside another wrapper.

scikit-learn's ProgressBar is passed on from the outermost estimator, and a Pipeline
refuses to fit a step that has one. Set on an estimator of this package it is kept here
as a callback of that estimator alone: it sees the tasks of its fits, and takes each fit
for the outermost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any


class StepCallback:
    """A callback that is passed on, as one that is not.

    Parameters
    ----------
    callback : AutoPropagatedCallback
        As the user set it.
    """

    def __init__(self, callback: Any):
        self.callback = callback
        self.roots: dict[int, Any] = {}  # of the fits that run, by their estimator

    def __getstate__(self) -> dict:
        return {"callback": self.callback, "roots": {}}

    def setup(self, estimator, context) -> None:
        """Begin a fit, whose context is the root of all that the callback sees."""
        self.roots[id(estimator)] = context
        self.callback.setup(estimator, self._seen(estimator, context))

    def teardown(self, estimator, context) -> None:
        """End a fit."""
        self.callback.teardown(estimator, self._seen(estimator, context))
        self.roots.pop(id(estimator), None)

    @property
    def on_fit_task_begin(self) -> Callable:
        """The callback's own, with its signature, which says what it needs."""
        return self._hook(self.callback.on_fit_task_begin)

    @property
    def on_fit_task_end(self) -> Callable:
        """The callback's own, with its signature, which says what it needs."""
        return self._hook(self.callback.on_fit_task_end)

    def _hook(self, hook: Callable) -> Callable:
        @wraps(hook)
        def seen_from_here(estimator, context, **data):
            return hook(estimator, self._seen(estimator, context), **data)

        return seen_from_here

    def _seen(self, estimator, context) -> ContextFrom:
        return ContextFrom(context, self.roots[id(estimator)])


class ContextFrom:
    """The context of a task, in a tree that begins at ``root``.

    Parameters
    ----------
    context, root : CallbackContext
    """

    def __init__(self, context: Any, root: Any):
        self._context, self._root = context, root

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._context, name)

    @property
    def parent(self) -> ContextFrom | None:
        """None for the root."""
        context, root = self._context, self._root
        return None if context is root else ContextFrom(context.parent, root)

    @property
    def root_uuid(self) -> tuple:
        """That of this fit: a search may run several below one root."""
        return self._root.root_uuid, id(self._root)

    @property
    def source_estimator_name(self) -> str | None:
        """Of whoever runs this fit; None, as for an outermost one, for the root."""
        is_root = self._context is self._root
        return None if is_root else self._context.source_estimator_name
