"""What happened and how it goes: health of the installation, counts of a day."""
