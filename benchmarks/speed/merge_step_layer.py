"""See `merge_step`: a weight for each layer of each task vector."""

from merge_step import compare

if __name__ == "__main__":
    compare("layer")
