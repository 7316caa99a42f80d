"""Being registered at a trunk (RFC 3261 §10.2): the client's side, kept up until it is asked to leave."""
