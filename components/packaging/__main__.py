"""`python -m components.packaging`: build what `pulumi up` would upload, and print its contents."""

import argparse
import sys

from components.config import ConfigError, StackConfig
from components.packaging.archive import sha256
from components.packaging.build import build, check
from components.packaging.target import PackageError, Target


def main() -> int:
    """Build and check the package; print its hashes and sizes in the last line."""
    options = _parser().parse_args()
    python = options.python.removeprefix("python")
    settings = {"runtime": f"python{python}", "architecture": options.architecture, "imaging": options.imaging}
    try:
        config = StackConfig.parse({f"pixelcascade:{key}": text for key, text in settings.items()})
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
    parser = argparse.ArgumentParser(prog="python -m components.packaging", description=__doc__)
    parser.add_argument("--architecture", default=defaults.architecture, help="x86_64 or arm64")
    parser.add_argument("--python", default=defaults.runtime, help="the runtime's version, such as 3.13")
    parser.add_argument("--imaging", default=defaults.imaging, help="pillow or pillow-simd")
    parser.add_argument("--fresh", action="store_true", help="build again, whatever the cache has")
    return parser


if __name__ == "__main__":
    sys.exit(main())
