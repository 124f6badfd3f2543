"""Strangers' names, JSON, archives and tables: bounded and checked before anything trusts them."""
