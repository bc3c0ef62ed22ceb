"""What kind of mistake is it? The words under a failure of the gradient checker; loaded at the first failure.

`explain` finds the wrong elements and writes the lines, `guesses` is the bank of mistakes that are known, and `uses`
cuts the threads of a forward, one at a time, to see which one the backward forgot.
"""

from npvae.diagnosis.explain import explain

__all__ = ["explain"]
