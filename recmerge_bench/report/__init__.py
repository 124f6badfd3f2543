"""What is made of results: boards, figures, exports, the site, and their publication."""
