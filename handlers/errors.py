"""Every error that the functions raise on purpose.

    PixelCascadeError
      InvalidJobError              the message is not a job of this stack
      RejectedImageError           the image's fault: a retry cannot help
        NotAnImageError            the bytes are not a picture
        UnsupportedFormatError     a picture, but in a format that is not accepted
        BrokenImageError           truncated or damaged
        ImageTooLargeError         over one of the limits
        NameTakenError             the outputs belong to another master
        NameTooLongError           S3 could not hold the outputs' keys
        MasterUnreadableError      S3 does not return the object: archived, or encrypted with a key that is not allowed

Any other exception (throttling, a network fault, a bug) is not the image's fault: the message stays in its queue and is
delivered again.
"""


class PixelCascadeError(Exception):
    """Root of every error that the functions raise on purpose."""


class InvalidJobError(PixelCascadeError):
    """A message is not a job for this stack: malformed, another bucket, a key outside the prefix."""


class RejectedImageError(PixelCascadeError):
    """The image is at fault: the reason is written to S3, and the job is done."""


class NotAnImageError(RejectedImageError):
    """The bytes are not a picture: empty, text, or an unknown format."""


class UnsupportedFormatError(RejectedImageError):
    """The bytes are a picture in a format that is not accepted."""


class BrokenImageError(RejectedImageError):
    """The picture is truncated or damaged and cannot be decoded whole."""


class ImageTooLargeError(RejectedImageError):
    """The picture exceeds a limit; the message names the limit, the value and the setting."""


class NameTakenError(RejectedImageError):
    """Another master with the same name, without its extension, owns the outputs."""


class MasterUnreadableError(RejectedImageError):
    """S3 does not return the object, and only its uploader can change that."""


class NameTooLongError(RejectedImageError):
    """The keys of the outputs would be longer than the 1,024 bytes that S3 allows."""
