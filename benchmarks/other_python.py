"""`python -m benchmarks.other_python`: do what is asked on standard input, answer with the milliseconds it took."""

from benchmarks.children import answer

if __name__ == "__main__":
    answer()
