"""``<suite>-cards.md``: what else there is to know of a board's numbers."""
