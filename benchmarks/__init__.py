"""Suite files that are installed with the package; read as data, never imported for code."""
