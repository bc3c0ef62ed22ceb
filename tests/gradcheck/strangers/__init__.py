"""Function/backward pairs such as other people write, right ones and wrong ones, a file a kind.

They are written from the outside, with no eye on how the checker works. `python -m benchmarks strangers` counts the
checker's verdicts.
"""
