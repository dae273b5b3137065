"""An embedded hub: it answers over real HTTP as AIHubMix does, to try hosts and to test against.

It stands alone: it imports nothing else from `hub_mcp`, so it can only agree with the client by
answering what real hubs answer. Everything it says is deterministic: no randomness, no clock.
"""
