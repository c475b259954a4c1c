"""What the console decides: who may do what, which password will do, how long somebody waits after a wrong one. Pure."""
