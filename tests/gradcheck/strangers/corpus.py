"""How a pair of the corpus is written down."""

from dataclasses import dataclass, field


@dataclass
class Pair:
    """A forward and a backward (or an object with both), where to check them, and the verdict that is right."""

    name: str
    forward: object  # a function, or, where `backward` is None, a function without arguments that makes a layer
    backward: object
    inputs: object
    params: object = None
    right: bool = True
    options: dict = field(default_factory=dict)


class Corpus(list):
    """The pairs of a kind."""

    def add(self, name, forward, backward, inputs, params=None, wrong=None, **options):
        """A function with its right backward, and wrong ones by what is wrong with them."""
        self.append(Pair(name, forward, backward, inputs, params, True, options))
        for what, bad in (wrong or {}).items():
            self.append(Pair(f"{name}: {what}", forward, bad, inputs, params, False, options))

    def layer(self, name, make, inputs=None, wrong=None, **options):
        """A class with state, made by `make()`, and its wrong cousins."""
        self.append(Pair(name, make, None, inputs, None, True, options))
        for what, bad in (wrong or {}).items():
            self.append(Pair(f"{name}: {what}", bad, None, inputs, None, False, options))
