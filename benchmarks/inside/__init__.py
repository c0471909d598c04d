"""numba/full from inside: what each idea brings, where the time goes, and where its choices change."""
