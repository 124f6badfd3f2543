"""First-party plugins, one file a method, named by entry points as a stranger's are."""
