"""The live page of `python -m local up`: drop pictures, and see what becomes of them."""

from local.live.server import live_page

__all__ = ["live_page"]
