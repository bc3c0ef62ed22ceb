import json
import math

import pytest

from npvae.gradcheck import FAIL, INCONCLUSIVE, PASS, Entry, Finding, GradientCheckError, Report, check_function
from tests.gradcheck.doubles import arrays, backward, changed, forward


def entry(status, error=0.0, tolerance=1e-12, name="W"):
    return Entry(name, (2, 3), status, "complex step", 1.0, 1.0 + error, error, tolerance, 1.0)


@pytest.mark.parametrize(
    ("entries", "findings", "status"),
    [
        ([], [], INCONCLUSIVE),
        ([entry(PASS)], [], PASS),
        ([entry(PASS), entry(INCONCLUSIVE)], [], INCONCLUSIVE),
        ([entry(PASS), entry(INCONCLUSIVE), entry(FAIL)], [], FAIL),
        ([entry(PASS)], [Finding("dtype", "")], FAIL),
        ([entry(PASS)], [Finding("dtype", "", fails=False)], PASS),
        ([], [Finding("raises", "")], FAIL),
    ],
)
def test_the_status_is_that_of_the_worst(entries, findings, status):
    report = Report("r", entries, findings)
    assert report.status == status
    assert report.passed is (status == PASS)
    if status == PASS:
        assert report.raise_if_failed() is report
    else:
        with pytest.raises(GradientCheckError):
            report.raise_if_failed()


def test_numbers_are_relative_to_the_scale():
    one = Entry("W", (), PASS, "complex step", 1.0, 1.0, error=2e-10, tolerance=4e-9, scale=100.0)
    assert one.relative_error == pytest.approx(2e-12)
    assert one.resolution == pytest.approx(4e-11)
    assert Report("r", [one, entry(PASS, 1e-13)]).worst_error == pytest.approx(2e-12)


def test_json_has_everything_and_no_nan():
    report = check_function(forward, changed("b", lambda g: g / 7), *arrays())
    document = json.loads(report.to_json())
    assert document["status"] == FAIL
    row = next(row for row in document["entries"] if row["name"] == "b")
    assert row["status"] == FAIL
    assert row["numeric"] == pytest.approx(7 * row["analytic"])
    assert row["shape"] == [4]
    assert any("batch size" in line for line in row["explanation"])
    assert {"relative_error", "resolution", "tolerance", "evaluations"} <= set(row)
    unknown = Report("r", [entry(INCONCLUSIVE, math.nan, math.inf)])
    assert json.loads(unknown.to_json())["entries"][0]["error"] is None


def test_a_pass_reads_as_a_table():
    text = str(check_function(forward, backward, *arrays(), name="dense"))
    lines = text.splitlines()
    assert lines[0].startswith("PASS dense   3 tensors, worst error ")
    assert [line.split()[0] for line in lines[1:]] == ["x", "W", "b"]
    assert "resolution 9e-13  complex step, all 20 elements" in text


def test_a_failure_reads_as_in_the_handbook():
    text = str(check_function(forward, changed("b", lambda g: g / 7), *arrays(), target="my.mod:layer", name="layer"))
    lines = text.splitlines()
    assert lines[0].startswith("FAIL layer   3 tensors, 1 wrong")
    assert lines[1] == "FAIL b (4,)   complex step, resolution 9e-13"
    assert lines[2].startswith("  b[0]  numeric ")
    assert lines[2].endswith("numeric = 7 × analytic on 3 of 3 probes")
    assert lines[3] == (
        "  -> 7 is the batch size: a mean over it where a sum is meant. All elements wrong. The other 2 tensors pass."
    )
    assert lines[-1] == "  again: npvae gradcheck my.mod:layer --seed 0 --only b"


def test_no_explanation_if_none_is_wanted():
    report = check_function(forward, changed("b", lambda g: g / 7), *arrays(), explain=False)
    assert report.status == FAIL
    assert "->" not in str(report)
    assert "along a random direction" in str(report)


def test_merging_keeps_every_failure():
    bad = check_function(forward, changed("b", lambda g: -g), *arrays(), name="bad")
    broken = check_function(forward, lambda cache, dy: None, *arrays(), name="broken")
    merged = Report.merge("all", [check_function(forward, backward, *arrays()), bad, broken])
    assert merged.status == FAIL
    assert len(merged.entries) == 6
    assert [finding.message for finding in merged.findings] == ["broken: backward returned nothing"]
    assert "only='b'" in merged.again
