"""What comes out of plugins is looked at here, once, where it enters: the core trusts the rest.

Every check is cheap beside the work that made the result, and names the plugin, file and line.
"""
