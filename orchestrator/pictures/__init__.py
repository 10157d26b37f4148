"""Pictures of a finished trial: what it looks at, listens to, finds, and how it learned."""
