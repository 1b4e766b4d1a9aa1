"""A changed setting makes only the outputs that depend on it outdated, and only those are made again."""

import json
from dataclasses import replace
from typing import Any

from components.branches import BRANCHES
from components.recipe import recipe
from ops.audit import audit
from ops.backfill import backfill, in_state
from tests.e2e.conftest import Live, picture, until

NAMES = [f"changed/{number}" for number in range(5)]


def objects(live: Live, prefix: str) -> dict[str, tuple[str, str]]:
    """Return the ETag and modification time of every object under a prefix."""
    pages = live.client("s3").list_objects_v2(Bucket=live.stack.bucket, Prefix=prefix)
    return {entry["Key"]: (entry["ETag"], entry["LastModified"]) for entry in pages.get("Contents", ())}


def test_changing_a_size_remakes_only_the_resized_outputs(live: Live) -> None:
    """Five pictures with one size changed: five jobs, ten new files; every other object and item is unchanged."""
    for name in NAMES:
        live.put(f"master/{name}.png", picture())
    for name in NAMES:
        until(f"{name} is complete", live.settled, f"master/{name}.png")
    converted, resized = objects(live, "converted/changed/"), objects(live, "resized/changed/")
    items = [live.item(name) for name in NAMES]

    row = next(row for row in BRANCHES if row.per_size)
    config = replace(live.deployment.config, sizes={"small": 40, "tall": 90})
    stack = replace(live.stack, recipes={**live.stack.recipes, row.name: recipe(row, config)})
    function = live.deployment.resource("Function", row.module.replace("_", "-"))["name"]
    functions = live.client("lambda")
    before: dict[str, Any] = functions.get_function_configuration(FunctionName=function)["Environment"]
    settings = json.dumps({**json.loads(before["Variables"]["SETTINGS"]), "sizes": config.sizes})
    changed = {**before["Variables"], "SETTINGS": settings, "RECIPE": stack.recipes[row.name]}
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": changed})
    try:
        work = list(in_state(stack, "changed/", {"outdated"}))
        assert [(task.key, list(task.branches)) for task in work] == [
            (f"master/{name}.png", [row.name]) for name in NAMES
        ]
        assert backfill(stack, work, per_second=0) == len(NAMES)
        until("all is current", lambda: not list(in_state(stack, "changed/", {"outdated", "missing", "stale"})))
    finally:
        functions.update_function_configuration(FunctionName=function, Environment=before)

    again = objects(live, "resized/changed/")
    assert again.keys() == resized.keys()
    assert not set(again.values()) & set(resized.values())
    assert objects(live, "converted/changed/") == converted
    assert [live.item(name) for name in NAMES] == items
    assert all(found.accounted_for for found in audit(stack, "changed/"))
