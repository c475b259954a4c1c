"""Other ways to the same end, each with what it is known for: the row out, the POST, the row updated. Nothing else is asked.

No permission is checked, no text is written, nothing is encrypted, no lease is kept: what that saves is theirs.
"""
