"""What is deployed: one noun, one file, one `XArgs` beside one component `X`."""
