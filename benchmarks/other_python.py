"""`python -m benchmarks.other_python`: run the calls named on standard input, and print the milliseconds of each."""

from benchmarks.children import answer

if __name__ == "__main__":
    answer()
