"""From the user's rows to those that are trained on: encoded y, merged rows."""
