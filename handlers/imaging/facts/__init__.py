"""The facts that are recorded of a picture: EXIF, tags, position, name of the profile."""
