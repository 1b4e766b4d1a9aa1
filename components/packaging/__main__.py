"""`python -m components.packaging`: build what `pulumi up` would upload, and print its contents."""

import argparse
import dataclasses
import sys
from collections.abc import Callable

from components.config import PROJECT, ConfigError, StackConfig
from components.packaging.archive import sha256
from components.packaging.build import build, check
from components.packaging.target import PackageError, Target


def main() -> int:
    """Build and check the package; print its hashes and sizes in the last line."""
    options = _parser().parse_args()
    settings = {"runtime": options.python, "architecture": options.architecture, "imaging": options.imaging}
    try:
        config = StackConfig.parse({f"{PROJECT}:{key}": text for key, text in settings.items()})
        target = Target.of(config)
        package = build(target, fresh=options.fresh)
        _say(f"for: {target}, {target.imaging}", f"code: {package.code}", f"layer: {package.layer}")
        _say(*check(package, target))
    except (ConfigError, PackageError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _say(
        " ".join(
            f"{name} sha256={sha256(path)} bytes={path.stat().st_size}"
            for name, path in (("code", package.code), ("layer", package.layer))
        )
    )
    return 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _parser() -> argparse.ArgumentParser:
    defaults = StackConfig()
    parser = argparse.ArgumentParser(
        prog="python -m components.packaging",
        description="Build what `pulumi up` would upload, check it, and print its hashes and sizes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--architecture", default=defaults.architecture, type=_checked("architecture"), help="x86_64 or arm64"
    )
    parser.add_argument(
        "--python", default=defaults.runtime, type=_checked("runtime", "python"), help="Python version of the runtime"
    )
    parser.add_argument("--imaging", default=defaults.imaging, type=_checked("imaging"), help="pillow or pillow-simd")
    parser.add_argument("--fresh", action="store_true", help="build again, even if the cache has the package")
    return parser


def _checked(setting: str, prefix: str = "") -> Callable[[str], str]:
    """Return a parser of an option by the check of a setting, whose value may lack its prefix."""
    check = next(field for field in dataclasses.fields(StackConfig) if field.name == setting).metadata["check"]

    def parsed(text: str) -> str:
        try:
            return str(check(prefix + text.removeprefix(prefix)))
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"expected {error}, got {text!r}") from error

    return parsed


if __name__ == "__main__":
    sys.exit(main())
