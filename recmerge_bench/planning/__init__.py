"""From a suite to a plan: a DAG of content-addressed cells. Imports no torch."""
