"""One header, one frozen dataclass with `parse` and `__str__`; and the collection that holds them."""
