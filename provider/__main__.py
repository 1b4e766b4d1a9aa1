"""The package `pixelcascade`, which Pulumi starts for a program that has added it with `pulumi package add`."""

import sys
from pathlib import Path
from typing import Any

from pulumi import InputPropertiesError, InputPropertyError
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

sys.path.insert(0, str(Path(__file__).parent.parent))  # Pulumi runs this folder, not the repository.

from components.branch import Branch
from components.errors import ArgumentError
from components.fanout import Fanout
from components.function import Function
from components.publisher import Publisher

NAME, VERSION = "pixelcascade", "0.1.0"
COMPONENTS = [Branch, Fanout, Function, Publisher]


class PackageProvider(ComponentProvider):
    """Constructs the components, and reports arguments that cannot be deployed without a traceback."""

    def construct(self, *args: Any, **kwargs: Any) -> ConstructResult:
        """Construct a component.

        Raises: InputPropertiesError, whose message alone Pulumi prints.
        """
        # With None instead of the empty list, the SDK fails to report the error. Pulumi's engine 3.274 panics if it
        # names a property of which a part is not known yet.
        try:
            return super().construct(*args, **kwargs)
        except InputPropertyError as error:
            raise InputPropertiesError(error.reason, []) from error
        except ComponentInitError as error:
            if isinstance(error.inner, ArgumentError):
                raise InputPropertiesError(str(error.inner), []) from error
            raise


if __name__ == "__main__":
    main(PackageProvider(COMPONENTS, NAME, version=VERSION), sys.argv[1:])
