"""What kind of mistake is it? The words under a failure of the gradient checker; loaded at the first failure.

`blame` finds the part that is wrong by itself, `explain` the wrong elements, `guesses` and `factors` are the bank of
mistakes that are known, and `uses` cuts the threads of a forward, one at a time, to see which one backward forgot.
"""

from npvae.diagnosis.blame import explain_failures

__all__ = ["explain_failures"]
