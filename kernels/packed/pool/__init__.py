"""The threads of a product: a pool of workers, what wakes them, and how tasks are shared out to them."""
