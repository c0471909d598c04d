"""The backends `triton` and `triton-tf32`: one rung, `full`, on the tensor cores of a GPU, and in true float32 beside them."""
