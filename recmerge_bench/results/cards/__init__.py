"""What else the stored ranks say of a board: order, memorised steps, ties, other splits."""
