"""What other tools store and show: asv, pytest-benchmark, dashboards; and series and steps over commits."""
