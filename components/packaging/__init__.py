"""How the functions' package is built: code archive, layer, and the checks that both pass before an upload."""
