"""Rules of visits: what a row of an EMR file means."""
