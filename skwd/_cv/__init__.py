"""Cross-validation of a grid of alphas: splits, scores, table of results, workers."""
