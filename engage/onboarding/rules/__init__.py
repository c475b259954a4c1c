"""An agency as a file: what may stand in it, how it is read, checked, compared and written. Pure."""
