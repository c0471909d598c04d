"""Minibatch stochastic gradient descent."""
