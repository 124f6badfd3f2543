"""Processes of cells: started from a clean one, bounded, ended with all that they started."""
