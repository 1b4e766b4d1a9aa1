"""Which memory is right for each function, and what does it cost? Measured under the limits of Lambda."""
