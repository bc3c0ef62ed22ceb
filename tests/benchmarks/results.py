"""A made-up result of `speed`, small enough to do its sums by hand."""

from __future__ import annotations


def row(*seconds: float, peak_mb: float | None = 100.0) -> dict:
    return {"seconds_per_step": list(seconds), "images_per_second": 1234, "peak_mb": peak_mb, "loss": 90.0}


def speed_result(npvae: tuple[float, ...], products: tuple[float, ...], **peers: tuple[float, ...]) -> dict:
    measured = {"npvae": row(*npvae), "products": row(*products)}
    measured |= {name.replace("_", "-"): row(*times, peak_mb=400.0) for name, times in peers.items()}
    workload = {"title": "784-400-20 relu, batch 128", "measured": measured, "skipped": {}}
    machine = {"date": "2025-01-31", "processor": "Abacus", "cores": 2, "python": "3.11", "versions": {"numpy": "2"}}
    settings = {"rounds": 3, "seconds_per_block": 0.6, "load_before": 0.1}
    return {"command": "speed", "machine": machine, "settings": settings, "workloads": {"usual": workload}}
