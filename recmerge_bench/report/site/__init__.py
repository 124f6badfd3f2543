"""The static site: records → data of each suite, cards of methods and datasets → HTML."""
