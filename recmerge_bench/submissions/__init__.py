"""Results of strangers: packed as one file, checked in bounds, joined whole or not at all."""
