"""The functions whose memory is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function: its module below `handlers`, and the key of the stack's config that has its memory."""

    name: str
    module: str
    config_key: str
    decodes: bool = True


FUNCTIONS = {
    function.name: function
    for function in (
        Function(name="resize", module="pixel_resizer", config_key="pixelcascade:resizingMemoryMb"),
        Function(name="convert", module="format_converter", config_key="pixelcascade:formatConversionMemoryMb"),
        Function(
            name="metadata",
            module="metadata_extractor",
            config_key="pixelcascade:metadataExtractionMemoryMb",
            decodes=False,
        ),
    )
}
