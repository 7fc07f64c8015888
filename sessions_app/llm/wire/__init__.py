"""What goes over the wire to a provider and comes back, beneath the providers' own SDKs.

Out: a request's body is spliced from bytes kept from earlier requests (`splicing`, `transport`).
Back: bytes → HTTP's own decoding (httpx2) → server-sent events (`server_events`) → one wire's frames, read tolerantly
(`chat`, `responses`, `anthropic`) → chunks in the form that the SDK reads (`chunks`) → batches (`answer`).
"""
