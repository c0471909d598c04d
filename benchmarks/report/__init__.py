"""The report: one page, with no network, that explains the machine, the kernels and the history; from records alone."""
