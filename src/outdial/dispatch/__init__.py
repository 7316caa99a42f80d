"""The dialer's heart: claims due calls, runs each over a leg with its flow, and writes the outcome."""
