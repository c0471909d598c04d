"""What people look at: tables, pictures, and numbers as people read them."""
