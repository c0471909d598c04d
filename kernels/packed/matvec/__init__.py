"""Products with a row or a few columns, which packing would only slow down."""
