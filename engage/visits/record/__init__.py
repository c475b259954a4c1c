"""Recording an import: a batch in, rows changed in the caller's transaction out; set by set, never row by row."""
