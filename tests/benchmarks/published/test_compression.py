"""A quick run of both kinds of images: trained, compressed, read back, and set beside other formats."""

import json

import numpy as np
import pytest

from benchmarks.density_tables import compression_table
from benchmarks.published import main
from benchmarks.published.compression import formats


def test_a_quick_run_goes_on_where_it_stopped_and_its_file_is_as_long_as_the_elbo(tmp_path, capsys):
    output = tmp_path / "result.json"
    argv = ["compression", "--quick", "--kinds", "binary", "--work", str(tmp_path / "work"), "--output", str(output)]
    assert main(argv) == 0
    document = json.loads(output.read_text())
    found = document["results"]
    # 200 images are few: heads, the first latents and the header are some hundredths of a bit a pixel.
    assert 0.98 * found["negative_elbo"] < found["bits_back"] < found["negative_elbo"] * 1.01 + 0.02
    assert found["bits_back"] == pytest.approx(8 * found["bytes"] / (200 * 784))
    assert document["rows"][0]["here"] == f"{found['bits_back']:.4f}"
    table = compression_table({"binary": document})
    assert f"| the model's −ELBO | {found['negative_elbo']:.4f} |" in table
    assert "| gzip | " in table
    assert main(argv) == 0
    assert "goes on after epoch 5" in capsys.readouterr().out


def test_two_kinds_cannot_begin_with_one_run(capsys):
    with pytest.raises(SystemExit):
        main(["compression", "--start", "run.npz"])
    assert "give --kinds" in capsys.readouterr().err


def test_formats_of_nothing_but_black_are_headers():
    sizes = formats(np.zeros((100, 784), np.uint8), 255)
    assert list(sizes) == ["gzip", "bz2", "xz", "PNG, one picture", "PNG, each image", "WebP, one picture",
                           "WebP, each image"]  # fmt: skip
    assert max(size for name, size in sizes.items() if "each" not in name) < 400
    assert sizes["PNG, each image"] >= 100 * 57  # signature, IHDR and IEND alone have that many
