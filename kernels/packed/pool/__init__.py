"""The threads of a product: a pool of workers, and what wakes them."""
