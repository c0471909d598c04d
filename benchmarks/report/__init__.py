"""The report: one page that explains the machine, the kernels and the history. It is made from records and needs no network."""
