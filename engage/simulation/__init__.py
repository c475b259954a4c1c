"""A fake Twilio on the wire, invented people who answer, and a world in virtual time around the real program."""
