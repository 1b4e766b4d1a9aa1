"""The README's screenshot: the report of a real run of the samples. `make test-browser` writes it to build/."""

from pathlib import Path

from rich.console import Console

from components.stack_file import stack_config
from local.emulator import Emulator
from local.masters import find_masters
from local.run import run
from local.samples import write_samples
from tests.browser.conftest import OpenPage

WIDTH = 1200


def test_the_report_of_the_samples_opens(open_page: OpenPage, screenshots: Path, tmp_path: Path) -> None:
    """One sample is rejected, every other one has its outputs, and the report opens."""
    write_samples(tmp_path / "samples")
    masters = find_masters([tmp_path / "samples"], "master/")
    with Emulator("us-east-1", ready=False) as emulator:
        summary = run(
            emulator, lambda: masters, tmp_path / "out", "local", stack_config("local"), console=Console(quiet=True)
        )
    assert (summary["rejected"], summary["unaccounted"]) == (1, {})
    page = open_page((tmp_path / "out" / "report.html").as_uri(), width=WIDTH)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=screenshots / "readme.png")
