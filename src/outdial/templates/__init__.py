"""Liquid in texts, URLs and bodies that customers write: one sandbox for all who render them."""
