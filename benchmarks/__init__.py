"""Measuring: what is measured never measures itself, so this package stays in the checkout and is not installed."""
