"""The one HTTP client for URLs that customers give us: audio to fetch, webhooks to deliver.

Whoever may name a URL to a server may try to reach what only the server can reach: its own ports, the
machines beside it, the metadata service of its cloud. So every request passes `guard`: HTTP and HTTPS only,
public addresses only unless the operator allowed others, looked at after the name is resolved and on the very
address that is then connected to, again for each redirect. And whoever answers may try to keep us busy: time,
size, redirects and headers are bounded.

- `urls`: what a URL says, in one spelling;
- `networks`: which addresses are public;
- `allow_list`: what the operator permits beside them;
- `guard`: the decision, and the resolver and socket factory that enforce it;
- `client`: requests, redirects, bounds;
- `content`: bounded decompression.
"""
