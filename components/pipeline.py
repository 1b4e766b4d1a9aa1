"""Translate a stack's settings into the arguments of the components, which know neither settings nor pictures."""

import json
from collections.abc import Sequence

import pulumi

from components.alarms import AlarmSettings
from components.branches import BRANCHES
from components.config import ConfigError, StackConfig
from components.fanout import Fanout, FanoutArgs
from components.function import FunctionSettings
from components.image_worker import ImageWorkers
from components.key import LATEST_DAYS, SOONEST_DAYS
from components.lambda_package import LambdaPackage
from components.picture_record import record_settings, record_statements
from components.publisher import PublisherArgs
from components.stack_file import ROOT
from components.storage import ImageBucket, PictureTable
from components.worker import BranchSpec

WATCHED: AlarmSettings = {"enabled": False}
"""`Watch` creates the alarms of the pipeline's own components."""


def fanout_args(
    config: StackConfig,
    package: LambdaPackage,
    branches: Sequence[BranchSpec],
    alarm_topic_arns: Sequence[pulumi.Input[str]] | None = None,
) -> FanoutArgs:
    """Return the arguments of a fan-out whose functions run the code of `handlers`.

    A function is named after its module, unless its branch names it. Alarms notify the stack's `alarmTopic`, unless
    other topics are given, such as those of `Watch`.

    Raises: ConfigError, if a handler's module does not exist: Lambda would fail at the first message only.
    """
    for spec in branches:
        _check_module(spec)
    topic_arns = alarm_topic_arns or ([config.alarm_topic] if config.alarm_topic else [])
    args = FanoutArgs(
        branches=[{"function_name": _function_name(spec), **spec} for spec in branches],
        functions=function_settings(config, package),
        delivery={
            "batch_size": config.batch_size,
            "batch_window_seconds": config.batch_window_s,
            "max_concurrency": config.max_concurrency,
            "max_receives": config.max_receives,
        },
        create_key=config.kms_key == "create",
        key_deletion_days=SOONEST_DAYS if config.force_destroy else LATEST_DAYS,
        alarms={"topic_arns": topic_arns},
        tls_only=config.tls_only,
    )
    return args if config.kms_key in {"", "create"} else {**args, "key_arn": config.kms_key}


def image_fanout_args(config: StackConfig, package: LambdaPackage, workers: ImageWorkers) -> FanoutArgs:
    """Return the arguments of the pipeline's own fan-out, whose names have no prefix and whose alarms `Watch` makes."""
    branches = [workers.branch(row) for row in workers.rows]
    return {**fanout_args(config, package, branches), "prefix": "", "alarms": WATCHED}


def function_settings(config: StackConfig, package: LambdaPackage) -> FunctionSettings:
    """Return the settings that all functions of a stack share."""
    settings = FunctionSettings(
        code=package.code,
        runtime=package.runtime,
        architecture=config.architecture,
        layer_arns=package.layer_arns,
        timeout_seconds=config.timeout_s,
        environment={"POWERTOOLS_LOG_LEVEL": config.log_level, "FUNCTION_TIMEOUT_S": str(config.timeout_s)},
        log_retention_days=config.log_retention_days,
        tracing=config.tracing,
    )
    return settings if config.system_logs else {**settings, "json_log_level": config.log_level}


def publisher_args(
    config: StackConfig,
    package: LambdaPackage,
    *,
    bucket: ImageBucket,
    pictures: PictureTable,
    fanout: Fanout,
) -> PublisherArgs:
    """Return the arguments of the publisher."""
    args = PublisherArgs(
        bucket_name=bucket.name,
        bucket_arn=bucket.arn,
        key_prefix=config.master_prefix,
        event_bridge=bool(config.bucket),
        topic_arn=fanout.topic_arn,
        handler="handlers.job_publisher.handler",
        function={**function_settings(config, package), "memory_mb": config.publisher_memory_mb},
        statements=record_statements(config, bucket, pictures, settle=False),
        environment={
            "BUCKET": bucket.name,
            "PICTURES_TABLE": pictures.name,
            "SETTINGS": json.dumps(record_settings(config, pulumi.get_stack(), BRANCHES)),
        },
        alarms=WATCHED,
        tls_only=config.tls_only,
    )
    return {**args, "topic_key_arn": fanout.key_arn} if fanout.key_arn else args


def _check_module(spec: BranchSpec) -> None:
    module = _module(spec)
    path = module.replace(".", "/")
    # Any other module comes with the branch's own code, or from a layer.
    ours = module.startswith("handlers.") and "code" not in spec
    if ours and not any((ROOT / file).is_file() for file in (f"{path}.py", f"{path}/__init__.py")):
        raise ConfigError(
            f"{spec['name']}: expected the module {path}.py for {spec['handler']}, got no such file: add it"
        )


def _function_name(spec: BranchSpec) -> str:
    """Return a function's logical name, after its module: `handlers.pixel_resizer.handler` -> `pixel-resizer`."""
    module = _module(spec)
    return module.rpartition(".")[2].replace("_", "-") if module else spec["name"]


def _module(spec: BranchSpec) -> str:
    """Return the module of a handler, `handlers.pixel_resizer`, or an empty text if it names none."""
    handler = spec.get("handler")
    return handler.rpartition(".")[0] if isinstance(handler, str) else ""
