"""RTP as bytes and values: packets, RTCP, telephone-event, clocking, quality (RFC 3550, 3551, 4733). Pure."""
