"""From a problem to its tasks and folds: splits, scores, choices by them, workers."""
