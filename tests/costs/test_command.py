"""The command line of `python -m ops estimate`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from components import prices
from components.branches import BRANCHES
from components.config import StackConfig
from components.stack_file import ROOT
from ops.__main__ import main
from tests.costs.measured import at_memory_of, benchmark_file, row

USAGE = 2


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """Write benchmark results for the default memory sizes."""
    return benchmark_file(tmp_path, *at_memory_of(StackConfig()))


def run(benchmark: Path, *options: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["estimate", "--benchmark", str(benchmark), *options])


def found(benchmark: Path, *options: str) -> dict[str, Any]:
    """Return the command's JSON output."""
    result = run(benchmark, *options, "--json")
    assert result.exit_code == 0, result.output
    plain: dict[str, Any] = json.loads(result.output)
    return plain


def test_the_command_needs_neither_stack_nor_credentials(benchmark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command uses the program's defaults, and runs without an AWS account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    result = run(benchmark)
    assert result.exit_code == 0, result.output
    assert "1,000,000 pictures of 12 megapixels" in result.output


def test_verbose_prints_bills_limits_assumptions_and_prices(benchmark: Path) -> None:
    """`--verbose` prints what the figures are based on, including every price."""
    output = run(benchmark, "--verbose").output
    for text in ("PixelCascade", "reference set-up", "Scale sheet", "Reached first, at", "Assumptions", prices.READ):
        assert text in output
    assert all(price.name in output for price in prices.TABLE)


def test_calls_of_one_price_are_one_row(benchmark: Path) -> None:
    """The metadata worker writes an item and a record; its rows add up to its sum."""
    part, what = "metadata-extraction", prices.DYNAMODB_WRITE.name
    lines = found(benchmark)["pixelcascade"]["work"]
    writes = [line["count"] for line in lines if (line["part"], line["what"]) == (part, what)]
    rows = run(benchmark, "--verbose").output.splitlines()
    (row,) = (row for row in rows if part in row and what in row)
    assert len(writes) > 1
    assert f" {sum(writes):,.0f} " in row


def test_the_summary_comes_first(benchmark: Path) -> None:
    """First come the month, the first limit and the services; details need `--verbose`."""
    lines = run(benchmark).output.splitlines()
    assert lines[0].startswith("1,000,000 pictures of 12 megapixels in a month cost ")
    assert lines[1].startswith("Reached first, at ")
    assert len(lines) < 25
    assert "--verbose" in lines[-1]


def test_the_first_sentence_is_about_the_months_pictures(benchmark: Path) -> None:
    """For few pictures it does not multiply what the stack costs without any, such as its alarms."""
    plain = found(benchmark, "--images", "10")
    ratio = plain["reference"]["dollars"] / plain["pixelcascade"]["dollars"]
    line = run(benchmark, "--images", "10").output.splitlines()[0]
    dollars = f"{plain['pixelcascade']['dollars']:.2f} US dollars, the reference set-up {ratio:.2f} times as much"
    assert line.startswith(f"10 pictures of 12 megapixels in a month cost {dollars}; ")


def test_json_has_the_same_figures(benchmark: Path) -> None:
    """Each total is the sum of its lines."""
    plain = found(benchmark)
    for whose in ("pixelcascade", "reference"):
        assert plain[whose]["dollars"] == pytest.approx(sum(line["dollars"] for line in plain[whose]["work"]))
    assert plain["workload"]["upload_mb"] == pytest.approx(3.6)


def test_the_reference_set_up_stores_only_outputs_and_items(benchmark: Path, tmp_path: Path) -> None:
    """It has no records, no further formats and no backups, whatever the stack has."""
    file = tmp_path / "Pulumi.other.yaml"
    file.write_text('config:\n  protectData: true\n  outputFormats: ["jpeg", "webp=80"]\n')
    kept = [found(benchmark, *options)["reference"]["keeping"] for options in ((), ("--config", str(file)))]
    assert kept[0] == kept[1]
    assert [line["part"] for line in kept[0]] == [*(row.name for row in BRANCHES), "stack"]


@pytest.mark.parametrize("images", ["1e6", "1000000"])
def test_a_number_may_use_scientific_notation(benchmark: Path, images: str) -> None:
    """Plain and scientific notation give the same number."""
    assert found(benchmark, "--images", images)["workload"]["images"] == 1_000_000


def test_settings_come_from_a_stack_file(benchmark: Path, tmp_path: Path) -> None:
    """The file sets the sizes, and the region whose quotas apply."""
    file = tmp_path / "Pulumi.other.yaml"
    file.write_text('config:\n  aws:region: eu-west-1\n  pixelcascade:sizes: ["one=100"]\n')
    plain, own = found(benchmark), found(benchmark, "--config", str(file))
    assert own["pixelcascade"]["dollars"] < plain["pixelcascade"]["dollars"]
    assert "SNS: messages published in eu-west-1" in [limit["name"] for limit in own["scale"]["limits"]]


@pytest.mark.parametrize(("region", "lines"), [("us-east-1", 0), ("eu-west-1", 1), ("eu-nowhere-1", 1)])
def test_a_stack_in_another_region_is_told_whose_prices_are_used(
    benchmark: Path, tmp_path: Path, region: str, lines: int
) -> None:
    """All prices are those of one region; a line says so if the stack is in another, or in one that does not exist."""
    file = tmp_path / "Pulumi.other.yaml"
    file.write_text(f"config:\n  aws:region: {region}\n")
    output = run(benchmark, "--config", str(file)).output
    said = f"These are the prices of us-east-1. The stack is in {region}, where prices differ.\n"
    assert output.count(said) == lines


@pytest.mark.parametrize("file", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda file: file.name)
def test_every_stack_file_has_an_estimate(benchmark: Path, file: Path) -> None:
    """This covers every stack file of the project."""
    assert found(benchmark, "--config", str(file))["pixelcascade"]["dollars"] > 0


@pytest.mark.parametrize(("rate", "enough"), [("1", "yes"), ("1e9", "no")])
def test_a_rate_is_compared_with_every_limit(benchmark: Path, rate: str, enough: str) -> None:
    """A low rate is within all limits, and an enormous one exceeds them all."""
    sheet = run(benchmark, "--verbose", "--rate", rate).output.partition("Scale sheet")[2].partition("Assumptions")[0]
    assert f" {enough} " in sheet
    assert {"yes": " no ", "no": " yes "}[enough] not in sheet


WRONG = [
    (["--images", "many"], "expected 1 to 1e+15 pictures"),
    (["--images", "0.5"], "expected 1 to 1e+15 pictures"),
    (["--images", "0"], "expected 1 to 1e+15 pictures"),
    (["--images", "1e308"], "expected 1 to 1e+15 pictures"),
    (["--cold-starts", "nan"], "expected a share from 0 to 1"),
    (["--megapixels", "nan"], "expected a number above 0"),
    (["--megapixels", "90"], "--megapixels: expected at most the stack's maxPixels, 64, got 90"),
    (["--mb", "70"], "--mb: expected at most the stack's maxBytes, 50 MB, got 70"),
    (["--per-batch", "11"], "--per-batch: expected 1 to the stack's batchSize, 10, got 11"),
    (["--per-batch", "0.5"], "--per-batch: expected 1 to"),
    (["--benchmark", "/nowhere"], "expected a file that `python -m benchmarks memory"),
    (["--config", str(ROOT / "README.md")], "README.md: expected YAML"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=[" ".join(options)[:30] for options, _ in WRONG])
def test_a_wrong_option_is_refused_with_what_is_expected(benchmark: Path, options: list[str], message: str) -> None:
    """The error gives the expected value, the actual value and the fix."""
    result = run(benchmark, *options)
    assert result.exit_code == USAGE
    assert message in " ".join(result.output.split())


def test_a_wrong_setting_is_refused(benchmark: Path, tmp_path: Path) -> None:
    """The error is the same as that of `pulumi up`."""
    file = tmp_path / "Pulumi.other.yaml"
    file.write_text("config:\n  pixelcascade:jpegQuality: 101\n")
    result = run(benchmark, "--config", str(file))
    assert result.exit_code == USAGE
    assert "pixelcascade:jpegQuality: expected a whole number from 1 to 100, got '101'" in result.output


def test_a_stack_with_too_little_memory_gets_no_estimate(tmp_path: Path) -> None:
    """The error lists the sizes that fit."""
    small = row("resize", 1769, verdict="too small", fixed_ms=None, ms_per_megapixel=None)
    others = [found for found in at_memory_of(StackConfig()) if found.function != "resize"]
    result = run(benchmark_file(tmp_path, *others, small, row("resize", 3008)))
    assert result.exit_code == USAGE
    assert "set one of the sizes that fit, 3008 MB" in result.output
