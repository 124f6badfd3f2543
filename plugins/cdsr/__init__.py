"""Cross-domain sequential recommenders, trained on all domains together."""
