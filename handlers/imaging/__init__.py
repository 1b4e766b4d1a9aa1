"""Pictures from bytes to bytes or values: no AWS, no logging, no environment."""

from .convert import convert
from .describe import describe
from .encode import Jpeg
from .limits import Limits
from .metadata import Metadata
from .resize import resize

__all__ = ["Jpeg", "Limits", "Metadata", "convert", "describe", "resize"]
