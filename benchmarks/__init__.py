"""Measurements: `python -m benchmarks`. Those of speed are ratios, from processes that took turns on one machine."""
