"""The functions that run on Lambda; shipped whole as the package `handlers`."""
