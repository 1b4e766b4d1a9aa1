"""Operations on pixels: colour, depth, transparency, orientation, size."""
