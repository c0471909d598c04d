"""How SGD and the product scale over processes: measured in turns, explained by a model, and reckoned on for more ranks."""
