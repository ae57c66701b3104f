"""The registry of agents, /agents, as the agent portal's clients know it."""
