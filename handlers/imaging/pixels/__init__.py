"""What is done to pixels: colour, depth, transparency, orientation, sizes."""
