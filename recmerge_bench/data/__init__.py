"""Interactions, splits and candidates: flat integer arrays, read from files, cut by protocols."""
