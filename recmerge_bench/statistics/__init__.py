"""Comparing methods on stored values of single users: claims, families, verdicts. numpy only;
scipy is imported where a quantile is asked for.
"""
