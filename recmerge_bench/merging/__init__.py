"""Arithmetic on named float tensors, and which of them merge."""
