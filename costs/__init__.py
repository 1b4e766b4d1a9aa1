"""What the pipeline costs and where it stops growing, before it is deployed: `python -m costs`."""
