"""What users see: the estimators, their parameters, messages and documentation."""
