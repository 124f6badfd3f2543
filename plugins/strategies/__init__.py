"""Merge strategies, and the experts and the joint model that they are compared with."""
