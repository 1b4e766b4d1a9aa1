"""Lambda, IAM, and the trigger of a bucket.

What AWS refuses and the emulator accepts is refused here with AWS's message: a trigger on a function that
S3 may not call, a mapping or a destination that the function's role may not use.
"""

import contextlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.emulator import Emulator
from local.resources.arguments import arguments

BATCHED = ("sns:Publish", "sqs:ChangeMessageVisibility")
PROCESSES = max(1, (os.cpu_count() or 2) // 2)
"""How many processes of a worker run at once. Each uses several threads, and the other workers run too."""


class RefusedError(Exception):
    """AWS would refuse this resource; the message says what is missing."""


def role(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a role."""
    made = emulator.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=inputs["assumeRolePolicy"])
    return {"id": name, "name": name, "arn": made["Role"]["Arn"]}


def role_policy(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Attach an inline policy to a role."""
    policy = with_batches(inputs["policy"])
    emulator.client("iam").put_role_policy(RoleName=inputs["role"], PolicyName=name, PolicyDocument=policy)
    return {"id": f"{inputs['role']}:{name}", "name": name, "role": inputs["role"], "policy": policy}


def with_batches(policy: str) -> str:
    """Return a policy as the emulator checks it: batch calls have their own action there, unlike on AWS.

    Source: Service Authorization Reference, Amazon SNS and Amazon SQS.
    """
    document = json.loads(policy)
    for statement in document["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        statement["Action"] = [*actions, *(f"{action}Batch" for action in BATCHED if action in actions)]
    return json.dumps(document)


def layer_version(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Publish a version of a layer that functions need not unpack."""
    made = emulator.client("lambda").publish_layer_version(
        LayerName=inputs.get("layerName", name),
        Content={"ZipFile": _shared(Path(inputs["code"].path), inputs)},
        **arguments(inputs, "compatibleRuntimes", "compatibleArchitectures"),
    )
    return {"id": made["LayerVersionArn"], "arn": made["LayerVersionArn"]}


def function(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a function."""
    settings = ("runtime", "role", "handler", "layers", "architectures", "memorySize", "timeout", "loggingConfig")
    made = emulator.client("lambda").create_function(
        FunctionName=name,
        Code={"ZipFile": Path(inputs["code"].path).read_bytes()},
        Environment={"Variables": inputs["environment"]["variables"]},
        **arguments(inputs, *settings),
    )
    return {"id": name, "name": name, "arn": made["FunctionArn"]}


def permission(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Let another service call a function."""
    emulator.client("lambda").add_permission(
        FunctionName=inputs["function"],
        StatementId=name,
        **arguments(inputs, "action", "principal", "sourceArn", "sourceAccount"),
    )
    return {"id": name}


def event_source_mapping(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Map a queue to a function.

    Raises: RefusedError, if the function's role may not.
    """
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    _require(emulator, inputs["functionName"], actions, inputs["eventSourceArn"])
    batches = ("batchSize", "maximumBatchingWindowInSeconds", "functionResponseTypes", "scalingConfig")
    made = emulator.client("lambda").create_event_source_mapping(
        **arguments(inputs, "eventSourceArn", "functionName", *batches)
    )
    # A mapping cannot ask for fewer than two.
    emulator.client("lambda").put_function_concurrency(
        FunctionName=inputs["functionName"], ReservedConcurrentExecutions=PROCESSES
    )
    return {"id": made["UUID"], "uuid": made["UUID"]}


def event_invoke_config(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Set the destination of events that a function fails on.

    Raises: RefusedError, if the function's role may not send it there.
    """
    destination = inputs["destinationConfig"]["onFailure"]["destination"]
    _require(emulator, inputs["functionName"], ["sqs:SendMessage"], destination)
    emulator.client("lambda").put_function_event_invoke_config(
        **arguments(inputs, "functionName", "maximumRetryAttempts", "maximumEventAgeInSeconds", "destinationConfig")
    )
    return {"id": inputs["functionName"]}


def bucket_notification(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Let a bucket call functions.

    Raises: RefusedError, if a function's own policy does not let S3 call it for this bucket.
    """
    configurations = []
    for target in inputs["lambdaFunctions"]:
        _require_trigger(emulator, target["lambdaFunctionArn"], f"arn:aws:s3:::{inputs['bucket']}")
        rules = [{"Name": "prefix", "Value": target["filterPrefix"]}]
        configurations.append(
            {**arguments(target, "lambdaFunctionArn", "events"), "Filter": {"Key": {"FilterRules": rules}}}
        )
    emulator.client("s3").put_bucket_notification_configuration(
        Bucket=inputs["bucket"], NotificationConfiguration={"LambdaFunctionConfigurations": configurations}
    )
    return {"id": inputs["bucket"]}


CREATORS = {
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicy:RolePolicy": role_policy,
    "aws:lambda/eventSourceMapping:EventSourceMapping": event_source_mapping,
    "aws:lambda/function:Function": function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": event_invoke_config,
    "aws:lambda/layerVersion:LayerVersion": layer_version,
    "aws:lambda/permission:Permission": permission,
    "aws:s3/bucketNotification:BucketNotification": bucket_notification,
}


def _shared(archive: Path, inputs: Mapping[str, Any]) -> bytes:
    """Return a layer with one file, which puts the unpacked archive before all other packages.

    The emulator reads `.pth` files in a layer's site-packages, as Lambda does.
    """
    runtime = inputs["compatibleRuntimes"][0]
    line = f"import sys; sys.path.insert(1, {str(_unpacked(archive))!r})"
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as layer:
        layer.writestr(f"python/lib/{runtime}/site-packages/shared.pth", line)
    return written.getvalue()


def _unpacked(archive: Path) -> Path:
    """Return the folder beside a layer's archive with its packages, which are unpacked once for all runs."""
    folder = archive.with_suffix("")
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=archive.parent) as unfinished, zipfile.ZipFile(archive) as packed:
            packed.extractall(unfinished)
            # Another process may have unpacked it first.
            with contextlib.suppress(OSError):
                (Path(unfinished) / "python").rename(folder)
    return folder


def _require(emulator: Emulator, function_name: str, actions: Sequence[str], resource_arn: str) -> None:
    """Check that a function's role may do `actions`, as Lambda does when a mapping is made."""
    role_arn = emulator.client("lambda").get_function_configuration(FunctionName=function_name)["Role"]
    results = emulator.client("iam").simulate_principal_policy(
        PolicySourceArn=role_arn, ActionNames=actions, ResourceArns=[resource_arn]
    )["EvaluationResults"]
    missing = [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
    if missing:
        raise RefusedError(
            f"The function's execution role {role_arn} does not have permissions to call {', '.join(missing)} on "
            f"{resource_arn}; allow them in its policy."
        )


def _require_trigger(emulator: Emulator, function_arn: str, bucket_arn: str) -> None:
    """Check that a function lets S3 call it for a bucket of this account, as S3 does when a trigger is made."""
    client = emulator.client("lambda")
    account = emulator.client("sts").get_caller_identity()["Account"]
    try:
        statements = json.loads(client.get_policy(FunctionName=function_arn)["Policy"])["Statement"]
    except client.exceptions.ResourceNotFoundException:
        statements = []
    if not any(_lets_in(statement, bucket_arn, account) for statement in statements):
        raise RefusedError(
            f"Unable to validate the following destination configurations: {function_arn} does not let "
            f"s3.amazonaws.com call it for {bucket_arn}; give it a permission."
        )


def _lets_in(statement: Mapping[str, Any], bucket_arn: str, account: str) -> bool:
    """Return whether a statement allows calls by S3 for this bucket; absent conditions do not matter."""
    wanted = {"AWS:SourceArn": bucket_arn, "AWS:SourceAccount": account}
    conditions = {key: value for operator in statement.get("Condition", {}).values() for key, value in operator.items()}
    return statement["Principal"] == {"Service": "s3.amazonaws.com"} and all(
        wanted.get(key) == value for key, value in conditions.items()
    )
