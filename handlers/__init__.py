"""The functions that run on Lambda; shipped whole as the package `handlers`."""

from handlers import start

start.begin()
