"""Small programs that the tests run and the README quotes."""
