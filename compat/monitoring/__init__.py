"""The API of the agent portal's monitoring page, at the addresses that its clients know."""
