"""What a plugin of each kind has to do, tried on tiny generated data.

One implementation serves ``recmerge-bench plugins check``, the pytest classes of
`recmerge_bench.testing` and the tests of the first-party plugins. `requirement` says what a
requirement and its outcome are, `kinds` which ones a kind has, `worlds` what they are tried on.
"""
