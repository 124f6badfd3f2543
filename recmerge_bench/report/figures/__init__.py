"""Figures: their data from records, and their drawing."""
