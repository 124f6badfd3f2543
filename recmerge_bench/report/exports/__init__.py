"""Records in other forms: tables of numbers, LaTeX, TREC runs, a summary for an appendix."""
