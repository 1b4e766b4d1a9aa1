"""What people see, in a real browser: these tests are skipped where none is installed."""
