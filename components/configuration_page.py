"""`python -m components.configuration_page`: write docs/configuration.md from `StackConfig` and Pulumi.yaml."""

import dataclasses
import json

import yaml

from components.config import StackConfig, field_name
from components.stack_file import ROOT

PAGE = ROOT / "docs" / "configuration.md"
COMMAND = "python -m components.configuration_page"

INTRODUCTION = f"""# Configuration

Set a key for one stack with `pulumi config set <key> <value>`. Set every element of a list: the list in the
stack's file replaces the default, so a file with only `sizes[0]` has one size.

```
pulumi config set --path 'sizes[0]' thumbnail=100
pulumi config set --path 'sizes[1]' large=1600
```

An unknown key or a wrong value stops `pulumi up` before it creates any resource; the error names the key.
`--secret` encrypts a value in the stack's file, but not in Pulumi's state. `python -m costs`, `benchmarks` and
`local` cannot decrypt it, and use the key's default. `{COMMAND}` writes this page.

| key | default | accepts | meaning |
|---|---|---|---|
"""


def page() -> str:
    """Return the page: one row per key, with the order and descriptions of Pulumi.yaml."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    accepted = {field.name: field.metadata["expected"] for field in dataclasses.fields(StackConfig)}
    rows = (
        (f"`{key}`", _code(entry["default"]), accepted[field_name(key)], entry["description"])
        for key, entry in declared.items()
    )
    return INTRODUCTION + "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows
    )


def _code(default: object) -> str:
    """Return a default as code, as `pulumi config set` takes it; nothing for an empty text."""
    text = default if isinstance(default, str) else json.dumps(default)
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
