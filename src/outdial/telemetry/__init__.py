"""What a process knows about itself, for people who watch it: metrics and, if wanted, traces.

Every package above `domain` may count; nothing here knows what a call is. A process keeps plain numbers
(`instruments`), hands them out over a socket in the data folder (`sockets`), and whoever is asked for
`/metrics` adds up what all processes of the machine say (`exposition`).
"""
