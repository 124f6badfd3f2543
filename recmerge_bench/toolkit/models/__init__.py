"""Building blocks of models, each used by several plugins."""
