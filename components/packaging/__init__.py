"""Build the functions' package: code archive, layers, and the checks that they pass before an upload."""
