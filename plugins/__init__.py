"""First-party plugins in a folder for each kind, named by entry points as a stranger's are."""
