"""The threads of a product: who helps, what wakes them, and how tasks are shared out."""
