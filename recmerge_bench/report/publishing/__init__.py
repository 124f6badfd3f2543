"""All files of a suite's board: written, and made again to be compared."""
