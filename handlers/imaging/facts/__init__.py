"""What is recorded of a picture: EXIF, tags, position, profile name."""
