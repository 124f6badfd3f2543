"""Building blocks of datasets and protocols."""
