"""See `merge_step`: a weight for each task vector."""

from merge_step import compare

if __name__ == "__main__":
    compare("domain")
