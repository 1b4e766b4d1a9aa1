"""Which memory is right for each function, and what does it cost? Measured within Lambda's limits."""
