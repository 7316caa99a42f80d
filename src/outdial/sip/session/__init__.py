"""The INVITE session: from the first INVITE to the last BYE, one operation a file.

`calling` places a call and `answering` takes one; both hand over to `established` once the call is up.
"""
