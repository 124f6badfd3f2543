"""Datasets: raw files to interactions."""
