"""Small programs that tests run, and the README quotes."""
