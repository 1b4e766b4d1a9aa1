"""Read numbers of a few bits, as in the headers of coded pictures."""

from handlers.errors import BrokenImageError

_MOST_ZEROS = 32


class Bits:
    """The bits of some bytes, the highest of each byte first."""

    def __init__(self, content: bytes) -> None:
        self._value, self._left = int.from_bytes(content), 8 * len(content)

    def take(self, bits: int) -> int:
        """Return the number in the next bits.

        Raises:
            BrokenImageError: There are fewer bits.
        """
        if bits > self._left:
            raise BrokenImageError("the picture is damaged: the header of its coded data is too short")
        self._left -= bits
        return self._value >> self._left & ((1 << bits) - 1)

    def exponential(self) -> int:
        """Return the next number of Exp-Golomb coding. Source: ITU-T H.265, 9.2; AV1 specification, 4.10.3."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _MOST_ZEROS:
                raise BrokenImageError("the picture is damaged: a number of its coded data is too large")
        return (1 << zeros) - 1 + self.take(zeros)
