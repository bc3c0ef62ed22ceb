"""The races: `python -m benchmarks`. Every figure is a ratio, from processes that took turns on one machine."""
