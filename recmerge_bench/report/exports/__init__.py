"""Records in other forms: long tables, LaTeX, TREC files by query, a summary for an appendix."""
