"""Sounds: decode uploads out of process, encode them to wire bytes, compare what was heard with what was
sent.

``clip`` is free of imports, so that the media path can know the shape of a clip without loading a codec.
"""
